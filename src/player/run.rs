//! One incident being played: deadlines, retries, its end.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};

use super::{CancelReply, Slot, Speed};
use crate::contract::Message;
use crate::journal::{JournalError, Record};
use crate::scenario::timeline::{Planned, Timeline};

/// An action that is later than this was held up by something, and says so.
const LATE: Duration = Duration::from_secs(1);

/// How often a journal that took nothing is tried again when it does not say that it is well.
const RETRY: Duration = Duration::from_millis(500);

/// How far an incident is. It is `ahead` in its own time when `origin` was taken.
pub(super) struct Progress {
    pub(super) origin: Instant,
    /// Wall-clock time between the incident's start and `origin`.
    pub(super) ahead: Duration,
    /// How many events are in the journal.
    pub(super) emitted: usize,
}

/// One incident being played.
pub(super) struct Run {
    slot: Slot,
    timeline: Timeline,
    speed: Speed,
    progress: Progress,
}

impl Run {
    pub(super) fn new(slot: Slot, timeline: Timeline, speed: Speed, progress: Progress) -> Self {
        Self { slot, timeline, speed, progress }
    }

    /// Every deadline counts from one origin, so nothing drifts.
    pub(super) async fn play(mut self, cancelled: oneshot::Receiver<CancelReply>) {
        // Fused: what was polled to its end is polled again at the next turn.
        let mut cancelled = cancelled.fuse();
        let mut held_up = false;
        while let Some(next) = self.timeline.events.get(self.progress.emitted) {
            let deadline = self.deadline(next);
            tokio::select! {
                biased;
                () = self.slot.player.stop.cancelled() => return,
                Ok(reply) = &mut cancelled => {
                    // The asker may have gone; the incident is cancelled all the same.
                    let _ = reply.send(self.end_early().await);
                    return;
                }
                () = async { if held_up { self.journal_back().await } else { sleep_until(deadline).await } } => {}
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

    /// Waits until a journal that took nothing says that it does again, or for a while.
    async fn journal_back(&self) {
        let mut health = self.slot.player.journal.health();
        if health.borrow().is_none() {
            return sleep(RETRY).await;
        }
        tokio::select! {
            _ = health.wait_for(Option::is_none) => {}
            () = sleep(RETRY) => {}
        }
    }

    /// Wall-clock time from the incident's start to an event.
    fn due(&self, event: &Planned) -> Duration {
        Duration::from_secs_f64(event.due as f64 / 1e6 / self.speed.get())
    }

    fn deadline(&self, event: &Planned) -> Instant {
        self.progress.origin + self.due(event).saturating_sub(self.progress.ahead)
    }

    /// Wall-clock time since the incident's start.
    fn elapsed(&self) -> Duration {
        self.progress.ahead + self.progress.origin.elapsed()
    }

    /// Appends everything that is due by now as one batch.
    async fn emit_due(&mut self) -> Result<(), JournalError> {
        let elapsed = self.elapsed();
        let rest = &self.timeline.events[self.progress.emitted..];
        let due = rest.iter().take_while(|event| self.due(event) <= elapsed).count().max(1);
        let batch = rest[..due].iter().filter_map(|event| self.record(event, elapsed)).collect();
        self.slot.player.journal.append(batch).await?;
        self.progress.emitted += due;
        Ok(())
    }

    /// An event as it is stored: an action that was held up says by how much.
    fn record(&self, event: &Planned, elapsed: Duration) -> Option<Record> {
        let late = elapsed.saturating_sub(self.due(event));
        match &event.message {
            Message::AgentAction(action) if late > LATE => {
                let mut action = action.clone();
                action.late_s = Some((late.as_secs_f64() * 1e3).round() / 1e3);
                Record::new(&self.slot.id, &Message::AgentAction(action))
            }
            message => Record::new(&self.slot.id, message),
        }
    }

    async fn end_early(&mut self) -> Result<u64, JournalError> {
        let screen_us = self.elapsed().as_secs_f64() * self.speed.get() * 1e6;
        let resolved = self.timeline.cancelled(self.progress.emitted, screen_us as u64);
        let batch = Record::new(&self.slot.id, &resolved).into_iter().collect();
        let positions = self.slot.player.journal.append(batch).await?;
        tracing::info!(incident = self.slot.id, "incident cancelled");
        Ok(positions.first().copied().unwrap_or_default())
    }
}
