//! Starting an incident: its first event goes in under a name that no other incident has.

use super::context::Context;
use super::error::PlayError;
use super::origin::Origin;
use super::running::Slot;
use super::speed::Speed;
use crate::journal::{JournalError, Place, Record};
use crate::plan::Plan;

/// An incident whose start is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The incident's id, like `database-outage-x7k2p`.
    pub id: String,
    /// Position of its `incident_started`.
    pub position: u64,
}

/// What is to be started.
pub(super) struct Start {
    pub(super) plan: Plan,
    pub(super) speed: Speed,
    /// A name to take if it is free; a fresh one otherwise.
    pub(super) name: Option<String>,
    /// Second 0; now if it is not given.
    pub(super) origin: Option<Origin>,
}

/// An incident whose first event is in the journal.
pub(super) struct Begun {
    pub(super) started: Started,
    pub(super) slot: Slot,
    pub(super) origin: Origin,
}

impl Context {
    /// Appends the first event. On an error `start` can be tried again.
    pub(super) async fn begin(&self, start: &mut Start) -> Result<Begun, PlayError> {
        loop {
            let mut slot = self.running.reserve(&start.plan.scenario, start.name.clone())?;
            let id = slot.id.clone();
            let origin = start.origin.unwrap_or_else(Origin::now);
            start.plan.stamp(start.speed.get(), origin.timestamp());
            slot.set_clock(origin, start.speed);
            let text = start.plan.text().map_err(|error| JournalError::Refused(error.to_string()))?;
            let first = start.plan.events().first().map(|first| Record {
                subject: id.clone(),
                place: Place::At(1),
                kind: first.kind(),
                data: first.data().to_owned(),
                plan: Some(text),
            });
            let first = first.ok_or_else(|| JournalError::Refused("a plan without events".to_owned()))?;
            let appended = self.journal.append(first).await?;
            let Some(first) = appended.first().filter(|first| first.new) else {
                // An incident of that name has been there before.
                start.name = None;
                continue;
            };
            let (position, seed, speed) = (first.position, start.plan.seed, start.speed.get());
            let started = start.plan.started();
            let severity = started.as_ref().map(|started| started.severity.as_str()).unwrap_or_default();
            tracing::info!(incident = id, severity, position, speed, seed, "incident started");
            return Ok(Begun { started: Started { id, position }, slot, origin });
        }
    }
}
