//! The incidents that got events from another part of the server than the worker, which remembers incidents.

use std::collections::HashSet;

use parking_lot::Mutex;

/// Their ids, until the worker has forgotten what it remembers of them.
#[derive(Debug, Default)]
pub(in crate::server) struct Elsewhere(Mutex<HashSet<String>>);

impl Elsewhere {
    /// An event of this incident was stored.
    pub(in crate::server) fn note(&self, subject: &str) {
        let mut subjects = self.0.lock();
        if !subjects.contains(subject) {
            subjects.insert(subject.to_owned());
        }
    }

    /// The incidents since the last call.
    pub(super) fn take(&self) -> HashSet<String> {
        std::mem::take(&mut *self.0.lock())
    }
}
