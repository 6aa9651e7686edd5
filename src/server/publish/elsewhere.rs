//! What keeps the worker, which remembers incidents, and other parts of the server that store events of real incidents from
//! getting in each other's way.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

/// Whose turn it is to store events of real incidents, and the incidents that others than the worker have added to.
#[derive(Debug, Default)]
pub(in crate::server) struct Elsewhere {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// For each a position behind which that was, until the worker takes note of it.
    subjects: Mutex<HashMap<String, u64>>,
}

impl Elsewhere {
    /// Waits for the turn to store events. Between the worker's judging of an event and its storing, nothing else is stored in
    /// its incident, and nothing between the last look of a receiver at its incident and what it writes.
    pub(in crate::server) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// Events of this incident were stored behind a position, or may have been.
    pub(in crate::server) fn note(&self, subject: &str, after: u64) {
        let mut subjects = self.subjects.lock();
        match subjects.get_mut(subject) {
            Some(before) => *before = after.min(*before),
            None => drop(subjects.insert(subject.to_owned(), after)),
        }
    }

    /// The incidents since the last call.
    pub(super) fn take(&self) -> HashMap<String, u64> {
        std::mem::take(&mut *self.subjects.lock())
    }
}
