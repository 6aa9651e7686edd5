//! Playing a replay: starts each incident when it is due, and continues a replay that another process has begun.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::sleep_until;

use super::begin::{BegunIncident, StartRequest};
use super::control::Player;
use super::course::Added;
use super::elapsed::{self, LastAppended};
use super::error::PlayError;
use super::origin::Origin;
use super::replay::{Cue, Replay};
use crate::contract::Message;
use crate::journal::{JournalError, OpenIncident, ReadLimit, Span};

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
            if self.begun(&cue, &run).await?.is_none() {
                left.push(cue);
            }
        }
        let begun = all - left.len();
        let (player, all_begun) = (self.clone(), replay.all_begun);
        self.context.tasks.spawn(async move {
            let mut is_whole = true;
            for cue in left {
                tokio::select! {
                    () = player.context.stop.cancelled() => return,
                    is_done = player.start_when_due(cue, &run) => is_whole &= is_done,
                }
            }
            if is_whole {
                all_begun.set();
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
        // The first incident starts with the replay.
        let Some(begun) = begun else { return Ok(new(number)) };
        let Ok(Message::IncidentStarted(started)) = begun.message() else { return Ok(new(number)) };
        if started.speed.unwrap_or(1.0).to_bits() != first.speed.get().to_bits() {
            return Ok(new(number));
        }
        let run = ReplayRun { number: number - 1, origin: Origin::now(), resumed: Some(last.start) };
        let Some(last) = self.last_appended(replay, &run).await? else { return Ok(new(number)) };
        let elapsed = elapsed::since(self.context.journal.clock(), begun.time, last);
        if elapsed >= replay.duration {
            return Ok(new(number));
        }
        Ok(ReplayRun { origin: Origin::ago(elapsed), ..run })
    }

    /// The most advanced event of a replay that another process has begun; `None` if the replay is over.
    async fn last_appended(
        &self,
        replay: &Replay,
        run: &ReplayRun,
    ) -> Result<Option<LastAppended>, JournalError> {
        let open = self.context.journal.open_incidents().await?;
        let open: HashMap<&str, &OpenIncident> =
            open.iter().map(|incident| (incident.subject.as_str(), incident)).collect();
        let mut last: Option<LastAppended> = None;
        let mut next = Duration::MAX;
        let mut is_over = true;
        for cue in &replay.cues {
            let Some(span) = self.begun(cue, run).await? else {
                is_over = false;
                next = next.min(cue.start);
                continue;
            };
            let (index, time) = match (span.end, open.get(span.subject.as_str())) {
                (Some(end), _) => {
                    let ended = self.context.journal.read(end - 1, ReadLimit::events(1)).await?;
                    let Some(ended) = ended.first() else { continue };
                    (ended.index, ended.time)
                }
                (None, Some(open)) => {
                    is_over = false;
                    // What was added beside the recording is no part of its timing.
                    let added = Added::read(&self.context.journal, &open.subject, open.start).await?;
                    let index = open.index.saturating_sub(added.indexes.len() as u64);
                    next = next.min(cue.due(index + 1));
                    (index, open.time)
                }
                // It has ended in the meantime.
                (None, None) => continue,
            };
            let due = cue.due(index);
            if last.is_none_or(|last| due >= last.due) {
                last = Some(LastAppended { time, due, next: due });
            }
        }
        Ok(last.filter(|_| !is_over).map(|last| LastAppended { next: next.max(last.due), ..last }))
    }

    /// The incident that this replay has already started. An incident of the same name may be older than the replay.
    async fn begun(&self, cue: &Cue, run: &ReplayRun) -> Result<Option<Span>, JournalError> {
        let Some(first) = run.resumed else { return Ok(None) };
        for name in cue.names(run.number) {
            let span = self.context.journal.incident(&name).await?;
            if let Some(span) = span.filter(|span| span.start >= first) {
                return Ok(Some(span));
            }
        }
        Ok(None)
    }

    /// Starts an incident when it is due. Retries while the journal cannot be used, because no caller would retry. Returns
    /// whether it has begun, or never can.
    async fn start_when_due(&self, cue: Cue, run: &ReplayRun) -> bool {
        let origin = run.origin.later(cue.start);
        let names: Vec<String> = cue.names(run.number).collect();
        let speed = cue.speed;
        let mut start = StartRequest { origin: Some(origin), ..StartRequest::new(cue.plan, speed) };
        sleep_until(origin.deadline(Duration::ZERO)).await;
        let mut logged = false;
        loop {
            if self.is_taken_over() {
                // The player that took over does not know the recording.
                tracing::warn!(
                    incident = names.first(),
                    "another player has taken over; the replay leaves out the incident"
                );
                return false;
            }
            let error = match self.start_under(&names, &mut start).await {
                Ok(begun) => {
                    let player = self.clone();
                    self.context.tasks.spawn(async move { player.play(begun, speed).await });
                    return true;
                }
                Err(PlayError::Stopping | PlayError::TakenOver) => return false,
                Err(PlayError::Begun) => return true,
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
                    return true;
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
        if start.unanswered.is_some() {
            // It keeps the name that it may have in the journal.
            return self.context.begin(start).await;
        }
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
