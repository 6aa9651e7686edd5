//! One incident being played: deadlines, retries, its end.

use std::time::Duration;

use futures_util::FutureExt;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::sleep_until;

use super::origin::Origin;
use super::{CancelReply, Slot, Speed};
use crate::contract::MessageType;
use crate::journal::{JournalError, Record};
use crate::plan::{Event, Plan};

/// An action that is later than this was held up by something, and says so.
const LATE: Duration = Duration::from_secs(1);

/// How far an incident is.
pub(super) struct Progress {
    /// Its start.
    pub(super) origin: Origin,
    /// How many events are in the journal.
    pub(super) emitted: usize,
}

/// One incident being played.
pub(super) struct Run {
    slot: Slot,
    plan: Plan,
    speed: Speed,
    progress: Progress,
}

impl Run {
    pub(super) fn new(slot: Slot, plan: Plan, speed: Speed, progress: Progress) -> Self {
        Self { slot, plan, speed, progress }
    }

    /// Every deadline counts from one origin, so nothing drifts.
    pub(super) async fn play(mut self, cancelled: oneshot::Receiver<CancelReply>) {
        // Fused: what was polled to its end is polled again at the next turn.
        let mut cancelled = cancelled.fuse();
        let mut held_up = false;
        while let Some(next) = self.plan.events().get(self.progress.emitted) {
            let deadline = self.progress.origin.deadline(self.due(next));
            tokio::select! {
                biased;
                () = self.slot.player.stop.cancelled() => return,
                Ok(reply) = &mut cancelled => {
                    let ended = self.end_early().await;
                    let goes_on = matches!(ended, Err(JournalError::Unavailable(_)));
                    // The asker may have gone; the incident is cancelled all the same.
                    let _ = reply.send(ended);
                    if !goes_on {
                        return;
                    }
                    cancelled = self.slot.again().fuse();
                }
                () = async { if held_up { self.slot.player.journal_back().await } else { sleep_until(deadline).await } } => {}
            }
            held_up = match self.emit_due().await {
                Ok(()) => false,
                // Nothing is lost: what is overdue follows when the journal is back.
                Err(JournalError::Unavailable(_)) => true,
                Err(error) => {
                    let incident = &self.slot.id;
                    tracing::error!(incident, %error, "the journal refused an event; the incident stops here");
                    return;
                }
            };
        }
        tracing::info!(incident = self.slot.id, "incident ended");
    }

    /// Wall-clock time from the incident's start to an event.
    fn due(&self, event: &Event) -> Duration {
        self.speed.wall(event.due)
    }

    /// Appends everything that is due by now as one batch.
    async fn emit_due(&mut self) -> Result<(), JournalError> {
        let elapsed = self.progress.origin.elapsed();
        let rest = &self.plan.events()[self.progress.emitted..];
        let due = rest.iter().take_while(|event| self.due(event) <= elapsed).count().max(1);
        let numbered = rest[..due].iter().zip(self.progress.emitted as u64 + 1..);
        let batch = numbered.map(|(event, index)| Record {
            subject: self.slot.id.clone(),
            index,
            kind: event.kind(),
            data: self.payload(event, elapsed),
            plan: None,
        });
        self.slot.player.journal.append(batch.collect()).await?;
        let appended = self.progress.origin.elapsed();
        for event in &rest[..due] {
            self.slot.player.metrics.late(appended.saturating_sub(self.due(event)));
        }
        self.progress.emitted += due;
        Ok(())
    }

    /// What is stored: an action that was held up says by how much.
    fn payload(&self, event: &Event, elapsed: Duration) -> Box<RawValue> {
        let late = elapsed.saturating_sub(self.due(event));
        if event.kind() == MessageType::AgentAction && late > LATE {
            return event.late((late.as_secs_f64() * 1e3).round() / 1e3);
        }
        event.data().to_owned()
    }

    async fn end_early(&mut self) -> Result<u64, JournalError> {
        let screen_us = self.progress.origin.elapsed().as_secs_f64() * self.speed.get() * 1e6;
        let resolved = self.plan.cancelled(self.progress.emitted, screen_us as u64);
        let batch = Record::new(&self.slot.id, &resolved).into_iter().collect();
        let positions = self.slot.player.journal.append(batch).await?;
        tracing::info!(incident = self.slot.id, "incident cancelled");
        Ok(positions.first().copied().unwrap_or_default())
    }
}
