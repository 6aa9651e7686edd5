//! The incidents that are played in this process.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::error::{MAX_OPEN, PlayError};
use super::name;
use super::origin::Origin;
use super::speed::Speed;

/// Incidents by id. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashMap<String, Entry>>>);

/// One incident that is played.
#[derive(Clone)]
pub(super) struct Entry {
    /// Held while something is appended to the incident: a cancellation sees all that was appended before, and the
    /// run sees the end.
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
    /// Cancelled when the incident has ended before its plan did.
    pub(super) ended: CancellationToken,
    /// Second 0, once it is known, and the speed.
    pub(super) clock: Option<(Origin, Speed)>,
}

/// A place among the running incidents, given back when dropped, also by a panic.
pub(super) struct Slot {
    running: Running,
    pub(super) id: String,
    pub(super) entry: Entry,
}

impl Running {
    /// Reserves a place under the wanted name if no running incident has it, else under a fresh one.
    pub(super) fn reserve(&self, scenario: &str, wanted: Option<String>) -> Result<Slot, PlayError> {
        let mut running = self.0.lock();
        if running.len() >= MAX_OPEN {
            return Err(PlayError::TooMany);
        }
        let mut id = wanted.unwrap_or_else(|| name::fresh(scenario));
        while running.contains_key(&id) {
            id = name::fresh(scenario);
        }
        let entry = Entry { turn: Arc::default(), ended: CancellationToken::new(), clock: None };
        running.insert(id.clone(), entry.clone());
        Ok(Slot { running: self.clone(), id, entry })
    }

    /// Reserves a place for an incident that is open in the journal; `None` if it is played already.
    pub(super) fn resume(&self, id: String) -> Option<Slot> {
        let mut running = self.0.lock();
        if running.contains_key(&id) {
            return None;
        }
        let entry = Entry { turn: Arc::default(), ended: CancellationToken::new(), clock: None };
        running.insert(id.clone(), entry.clone());
        Some(Slot { running: self.clone(), id, entry })
    }

    pub(super) fn get(&self, id: &str) -> Option<Entry> {
        self.0.lock().get(id).cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

impl Slot {
    /// Second 0 and the speed are known.
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
