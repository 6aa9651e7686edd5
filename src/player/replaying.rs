//! Playing a recording: when each incident starts, and going on with a replay that another process began.

use std::time::Duration;

use tokio::time::sleep_until;

use super::begin::{Begun, Start};
use super::control::Player;
use super::error::PlayError;
use super::origin::Origin;
use super::replay::{Cue, Replay};
use crate::contract::{Message, now};
use crate::journal::{JournalError, ReadLimit};

/// Which replay of a recording it is in its journal.
struct Turn {
    number: u64,
    origin: Origin,
    /// Position of its first event, if another process began it.
    resumed: Option<u64>,
}

impl Player {
    /// Plays a recording. Returns how many of its incidents another process had begun: [`Player::pick_up`] goes on
    /// with those.
    pub async fn replay(&self, replay: Replay) -> Result<usize, JournalError> {
        let turn = self.turn(&replay).await?;
        let all = replay.cues.len();
        let mut left = Vec::with_capacity(all);
        for cue in replay.cues {
            if !self.has_begun(&cue, &turn).await? {
                left.push(cue);
            }
        }
        let begun = all - left.len();
        let player = self.clone();
        self.context.tasks.spawn(async move {
            for cue in left {
                tokio::select! {
                    () = player.context.stop.cancelled() => return,
                    () = player.enter(cue, &turn) => {}
                }
            }
        });
        Ok(begun)
    }

    /// The replay that is under way in the journal, or the next one.
    async fn turn(&self, replay: &Replay) -> Result<Turn, JournalError> {
        let new = |number| Turn { number, origin: Origin::now(), resumed: None };
        let Some(first) = replay.cues.first() else { return Ok(new(0)) };
        let (mut number, mut last) = (0, None);
        while let Some(name) = first.names(number).next()
            && let Some(span) = self.context.journal.incident(&name).await?
        {
            last = Some(span);
            number += 1;
        }
        let Some(last) = last else { return Ok(new(0)) };
        let begun = self.context.journal.read(last.start - 1, ReadLimit::events(1)).await?.into_iter().next();
        let begun = begun.filter(|event| *event.subject == last.subject);
        match begun.and_then(|event| event.message().ok()) {
            // It starts with the replay: the first incident's second 0 is the replay's.
            Some(Message::IncidentStarted(started))
                if started.speed.unwrap_or(1.0).to_bits() == first.speed.get().to_bits() =>
            {
                let since = Duration::try_from(now().duration_since(started.impact_started_at));
                if since.is_ok_and(|since| since < replay.duration) {
                    let origin = Origin::of(started.impact_started_at);
                    return Ok(Turn { number: number - 1, origin, resumed: Some(last.start) });
                }
                Ok(new(number))
            }
            _ => Ok(new(number)),
        }
    }

    /// Whether the journal has an incident from this replay. One of that name may be there from before.
    async fn has_begun(&self, cue: &Cue, turn: &Turn) -> Result<bool, JournalError> {
        let Some(first) = turn.resumed else { return Ok(false) };
        for name in cue.names(turn.number) {
            if self.context.journal.incident(&name).await?.is_some_and(|span| span.start >= first) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Starts an incident when it is due, and waits for a journal that takes nothing: no caller would ask again.
    async fn enter(&self, cue: Cue, turn: &Turn) {
        let origin = turn.origin.later(cue.start);
        let names: Vec<String> = cue.names(turn.number).collect();
        let mut start = Start { plan: cue.plan, speed: cue.speed, name: None, origin: Some(origin) };
        sleep_until(origin.deadline(Duration::ZERO)).await;
        let mut told = false;
        loop {
            let error = match self.enter_as(&names, &mut start).await {
                Ok(begun) => {
                    let player = self.clone();
                    self.context.tasks.spawn(async move { player.play(begun, start).await });
                    return;
                }
                Err(PlayError::Stopping) => return,
                Err(error) => error,
            };
            let incident = names.first();
            match &error {
                PlayError::TooMany | PlayError::Journal(JournalError::Unavailable(_)) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(incident, %error, "the replay waits");
                    }
                    self.context.journal_back().await;
                }
                _ => {
                    tracing::error!(incident, %error, "the replay leaves an incident out");
                    return;
                }
            }
        }
    }

    /// Under the first name that is free, else a fresh one. The journal refuses a start under the name of an incident
    /// whose first events retention has dropped, so this asks before.
    async fn enter_as(&self, names: &[String], start: &mut Start) -> Result<Begun, PlayError> {
        start.name = None;
        for name in names {
            if self.context.journal.incident(name).await?.is_none() {
                start.name = Some(name.clone());
                break;
            }
        }
        self.context.begin(start).await
    }
}
