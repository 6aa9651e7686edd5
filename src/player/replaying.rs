//! Playing a replay: starts each incident when it is due, and continues a replay that another process has begun.

use std::time::Duration;

use tokio::time::sleep_until;

use super::begin::{BegunIncident, StartRequest};
use super::control::Player;
use super::error::PlayError;
use super::origin::Origin;
use super::replay::{Cue, Replay};
use crate::contract::{Message, now};
use crate::journal::{JournalError, ReadLimit};

/// One of the replays of a recording in a journal.
struct ReplayRun {
    /// How many replays of the recording came before it.
    number: u64,
    origin: Origin,
    /// Position of its first event, if another process has begun it.
    resumed: Option<u64>,
}

impl Player {
    /// Plays a recording. Returns how many of its incidents another process has already begun: [`Player::pick_up`]
    /// continues those.
    pub async fn replay(&self, replay: Replay) -> Result<usize, JournalError> {
        let run = self.replay_run(&replay).await?;
        let all = replay.cues.len();
        let mut left = Vec::with_capacity(all);
        for cue in replay.cues {
            if !self.has_begun(&cue, &run).await? {
                left.push(cue);
            }
        }
        let begun = all - left.len();
        let player = self.clone();
        self.context.tasks.spawn(async move {
            for cue in left {
                tokio::select! {
                    () = player.context.stop.cancelled() => return,
                    () = player.start_when_due(cue, &run) => {}
                }
            }
        });
        Ok(begun)
    }

    /// The replay that is in progress in the journal, or a new one.
    async fn replay_run(&self, replay: &Replay) -> Result<ReplayRun, JournalError> {
        let new = |number| ReplayRun { number, origin: Origin::now(), resumed: None };
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
            // The first incident starts with the replay, so second 0 of the incident is the start of the replay.
            Some(Message::IncidentStarted(started))
                if started.speed.unwrap_or(1.0).to_bits() == first.speed.get().to_bits() =>
            {
                // Of a real incident second 0 may lie before the first event, with which the replay began.
                let lead = first.speed.wall(first.plan.lead());
                let since = Duration::try_from(now().duration_since(started.impact_started_at));
                if since.is_ok_and(|since| since < replay.duration + lead) {
                    let origin = Origin::of(started.impact_started_at).later(lead);
                    return Ok(ReplayRun { number: number - 1, origin, resumed: Some(last.start) });
                }
                Ok(new(number))
            }
            _ => Ok(new(number)),
        }
    }

    /// Whether this replay has already started the incident. An incident of the same name may be older than the replay.
    async fn has_begun(&self, cue: &Cue, run: &ReplayRun) -> Result<bool, JournalError> {
        let Some(first) = run.resumed else { return Ok(false) };
        for name in cue.names(run.number) {
            if self.context.journal.incident(&name).await?.is_some_and(|span| span.start >= first) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Starts an incident when it is due. Retries while the journal cannot be used, because no caller would retry.
    async fn start_when_due(&self, cue: Cue, run: &ReplayRun) {
        let origin = run.origin.later(cue.start);
        let names: Vec<String> = cue.names(run.number).collect();
        let mut start = StartRequest { plan: cue.plan, speed: cue.speed, name: None, origin: Some(origin) };
        sleep_until(origin.deadline(Duration::ZERO)).await;
        let mut logged = false;
        loop {
            if self.is_taken_over() {
                // The player that took over does not know the recording.
                tracing::warn!(
                    incident = names.first(),
                    "another player has taken over; the replay leaves out the incident"
                );
                return;
            }
            let error = match self.start_under(&names, &mut start).await {
                Ok(begun) => {
                    let player = self.clone();
                    self.context.tasks.spawn(async move { player.play(begun, start).await });
                    return;
                }
                Err(PlayError::Stopping | PlayError::TakenOver) => return,
                Err(error) => error,
            };
            let incident = names.first();
            match &error {
                PlayError::TooMany
                | PlayError::TooLarge
                | PlayError::Journal(JournalError::Unavailable(_)) => {
                    if !std::mem::replace(&mut logged, true) {
                        tracing::warn!(incident, %error, "the replay cannot start an incident yet and retries");
                    }
                    self.context.journal_back().await;
                }
                _ => {
                    tracing::error!(incident, %error, "the replay cannot start an incident and leaves it out");
                    return;
                }
            }
        }
    }

    /// Starts an incident under the first name that is free, otherwise under a new one. Asks the journal for each name
    /// first, because an append under the name of an incident whose first event retention has dropped is refused.
    async fn start_under(
        &self,
        names: &[String],
        start: &mut StartRequest,
    ) -> Result<BegunIncident, PlayError> {
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
