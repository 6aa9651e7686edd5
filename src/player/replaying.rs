//! Playing a replay: starts each incident when it is due, and continues a replay that another process has begun.

use std::time::Duration;

use tokio::time::sleep_until;

use super::begin::{BegunIncident, StartRequest};
use super::control::Player;
use super::error::PlayError;
use super::replay::{Cue, Replay};
use super::replayed::ReplayRun;
use crate::journal::JournalError;

impl Player {
    /// Plays a recording, or what the journal lacks of its replay. Returns how many of its incidents another process has
    /// already begun: [`Player::pick_up`] continues those.
    pub async fn replay(&self, replay: Replay) -> Result<usize, JournalError> {
        let run = self.replay_run(&replay).await?;
        let (player, all_begun) = (self.clone(), replay.all_begun);
        let begun = run.begun;
        self.context.tasks.spawn(async move {
            let mut is_whole = true;
            // One begins after the other, so what comes before one that has begun had its turn.
            for cue in replay.cues.into_iter().skip(run.past) {
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
        for name in names {
            if self.context.journal.is_taken(name).await? {
                continue;
            }
            start.name = Some(name.clone());
            match self.context.begin(start).await {
                Err(PlayError::Journal(JournalError::Refused(_))) => {}
                answered => return answered,
            }
        }
        start.name = None;
        self.context.begin(start).await
    }
}
