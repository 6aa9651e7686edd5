//! The list of incidents that this process plays.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::course::Course;
use super::error::{MAX_OPEN, MAX_PLAN_BYTES, PlayError};
use super::name;
use super::origin::Origin;
use super::speed::Speed;

/// The running incidents by id. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct RunningIncidents(Arc<Mutex<HashMap<String, RunningIncident>>>);

/// An incident that this process plays.
#[derive(Clone)]
pub(super) struct RunningIncident {
    /// Held during every append to the incident, so that a cancellation sees all earlier appends and the run sees the
    /// cancellation.
    pub(super) append_lock: Arc<tokio::sync::Mutex<Course>>,
    /// Cancelled when the incident has ended before the end of its plan.
    pub(super) ended: CancellationToken,
    /// The moment of second 0 and the speed, once they are known.
    pub(super) clock: Option<(Origin, Speed)>,
    /// Bytes of its plan.
    plan_bytes: usize,
}

impl RunningIncident {
    fn new(plan_bytes: usize) -> Self {
        Self { append_lock: Arc::default(), ended: CancellationToken::new(), clock: None, plan_bytes }
    }
}

/// A reserved entry in the list. Dropping it removes the entry, also after a panic.
pub(super) struct Slot {
    running: RunningIncidents,
    pub(super) id: String,
    pub(super) entry: RunningIncident,
}

impl RunningIncidents {
    /// Reserves an entry under the wanted name if no running incident has it, otherwise under a new name.
    pub(super) fn reserve(
        &self,
        scenario: &str,
        wanted: Option<String>,
        plan_bytes: usize,
    ) -> Result<Slot, PlayError> {
        let mut running = self.0.lock();
        // One that has been cancelled is open no more, although its run may not have seen that yet.
        let is_open = |incident: &&RunningIncident| !incident.ended.is_cancelled();
        if running.len() >= MAX_OPEN && running.values().filter(is_open).count() >= MAX_OPEN {
            return Err(PlayError::TooMany);
        }
        let taken: usize = running.values().map(|incident| incident.plan_bytes).sum();
        if taken > 0 && taken + plan_bytes > MAX_PLAN_BYTES {
            return Err(PlayError::TooLarge);
        }
        let mut id = wanted.unwrap_or_else(|| name::fresh(scenario));
        while running.contains_key(&id) {
            id = name::fresh(scenario);
        }
        let entry = RunningIncident::new(plan_bytes);
        running.insert(id.clone(), entry.clone());
        Ok(Slot { running: self.clone(), id, entry })
    }

    /// Reserves an entry for an incident that is open in the journal; `None` if it is already being played.
    pub(super) fn resume(&self, id: String, plan_bytes: usize) -> Option<Slot> {
        let mut running = self.0.lock();
        if running.contains_key(&id) {
            return None;
        }
        let entry = RunningIncident::new(plan_bytes);
        running.insert(id.clone(), entry.clone());
        Some(Slot { running: self.clone(), id, entry })
    }

    pub(super) fn get(&self, id: &str) -> Option<RunningIncident> {
        self.0.lock().get(id).cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

impl Slot {
    /// Sets the moment of second 0 and the speed.
    pub(super) fn set_clock(&mut self, origin: Origin, speed: Speed) {
        self.entry.clock = Some((origin, speed));
        self.running.0.lock().insert(self.id.clone(), self.entry.clone());
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.running.0.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_may_be_open_are_and_a_cancelled_one_makes_room_at_once() {
        let running = RunningIncidents::default();
        let open = || running.reserve("small", None, 1);
        let slots: Vec<Slot> = (0..MAX_OPEN).map(|_| open().ok().expect("there is room")).collect();
        assert!(matches!(open(), Err(PlayError::TooMany)));
        // The caller has the answer to the cancellation; the run has not woken up.
        slots[0].entry.ended.cancel();
        let next = open();
        assert!(next.is_ok() && matches!(open(), Err(PlayError::TooMany)));
        drop(slots);
        assert_eq!(running.len(), 1);
    }

    #[test]
    fn the_plans_of_all_incidents_are_bounded_together() {
        let running = RunningIncidents::default();
        let first = running.reserve("large", None, MAX_PLAN_BYTES + 1).expect("alone it may be larger");
        assert!(matches!(running.reserve("small", None, 1), Err(PlayError::TooLarge)));
        drop(first);
        let half = MAX_PLAN_BYTES / 2;
        let slots = [running.reserve("half", None, half), running.reserve("half", None, half)];
        assert!(slots.iter().all(Result::is_ok));
        assert!(matches!(running.reserve("small", None, 1), Err(PlayError::TooLarge)));
        // What is open in the journal has to go on.
        assert!(running.resume("open-abcde".to_owned(), half).is_some());
    }
}
