//! One incident being played: deadlines, retries, its end.

use std::time::Duration;

use serde_json::value::RawValue;
use tokio::time::sleep_until;

use super::context::Context;
use super::origin::Origin;
use super::running::Slot;
use super::speed::Speed;
use crate::contract::MessageType;
use crate::journal::{Appended, Batch, JournalError, Lease, Place, Record};
use crate::plan::{Event, Plan};

/// An action that is published later than this says by how much.
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
    context: Context,
    slot: Slot,
    plan: Plan,
    speed: Speed,
    progress: Progress,
    lease: Lease,
}

/// What appending the due events came to.
enum Emitted {
    /// They are in.
    All,
    /// Another caller, on this server or another, has ended the incident.
    EndedElsewhere,
}

impl Run {
    pub(super) fn new(
        context: Context,
        slot: Slot,
        plan: Plan,
        speed: Speed,
        progress: Progress,
        lease: Lease,
    ) -> Self {
        Self { context, slot, plan, speed, progress, lease }
    }

    /// Every deadline counts from one origin, so nothing drifts.
    pub(super) async fn play(mut self) {
        let mut held_up = false;
        while let Some(next) = self.plan.events().get(self.progress.emitted) {
            let deadline = self.progress.origin.deadline(self.due(next));
            tokio::select! {
                biased;
                () = self.context.stop.cancelled() => return,
                () = self.slot.entry.ended.cancelled() => return,
                () = self.lease.lost() => return self.hand_over(),
                () = async { if held_up { self.context.journal_back().await } else { sleep_until(deadline).await } } => {}
            }
            held_up = match self.emit_due().await {
                Ok(Emitted::All) => false,
                Ok(Emitted::EndedElsewhere) => return,
                // Nothing is lost: overdue events follow when the journal is back.
                Err(JournalError::Unavailable(_)) => true,
                Err(JournalError::LeaseLost) => return self.hand_over(),
                Err(error) => {
                    let incident = &self.slot.id;
                    tracing::error!(incident, %error, "the journal refused an event; the incident stops here");
                    return;
                }
            };
        }
        tracing::info!(incident = self.slot.id, "incident ended");
    }

    fn hand_over(&self) {
        tracing::info!(incident = self.slot.id, "another player goes on with the incident");
    }

    /// Wall-clock time from the incident's start to an event.
    fn due(&self, event: &Event) -> Duration {
        self.speed.wall(event.due)
    }

    /// Appends everything that is due by now as one batch.
    async fn emit_due(&mut self) -> Result<Emitted, JournalError> {
        let turn = self.slot.entry.turn.clone();
        let _turn = turn.lock().await;
        if self.slot.entry.ended.is_cancelled() {
            return Ok(Emitted::EndedElsewhere);
        }
        let elapsed = self.progress.origin.elapsed();
        let rest = &self.plan.events()[self.progress.emitted..];
        let due = rest.iter().take_while(|event| self.due(event) <= elapsed).count().max(1);
        let numbered = rest[..due].iter().zip(self.progress.emitted as u64 + 1..);
        let records = numbered.map(|(event, index)| Record {
            subject: self.slot.id.clone(),
            place: Place::At(index),
            kind: event.kind(),
            data: self.payload(event, elapsed),
            plan: None,
        });
        let batch = Batch { records: records.collect(), term: Some(self.lease.term()) };
        let appended = match self.context.journal.append(batch).await {
            Ok(appended) => appended,
            Err(JournalError::Ended { .. }) => return Ok(Emitted::EndedElsewhere),
            Err(error) => return Err(error),
        };
        // A repeat is an event that this player appended without hearing of it, or one of another caller.
        if appended.iter().any(|event| !event.new) && self.ended_early(&appended).await? {
            return Ok(Emitted::EndedElsewhere);
        }
        let now = self.progress.origin.elapsed();
        for event in &rest[..due] {
            self.context.metrics.late(now.saturating_sub(self.due(event)));
        }
        self.progress.emitted += due;
        Ok(Emitted::All)
    }

    /// Whether the incident ended with another event than the plan's last.
    async fn ended_early(&self, appended: &[Appended]) -> Result<bool, JournalError> {
        let span = self.context.journal.incident(&self.slot.id).await?;
        let Some(end) = span.and_then(|span| span.end) else { return Ok(false) };
        let last = self.plan.events().len() as u64;
        Ok(!appended.iter().any(|event| event.position == end && event.index == last))
    }

    /// What is stored: a late action says by how much.
    fn payload(&self, event: &Event, elapsed: Duration) -> Box<RawValue> {
        let late = elapsed.saturating_sub(self.due(event));
        if event.kind() == MessageType::AgentAction && late > LATE {
            return event.late((late.as_secs_f64() * 1e3).round() / 1e3);
        }
        event.data().to_owned()
    }
}
