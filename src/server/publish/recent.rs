//! The events that were stored after the journal was asked for them.

use std::collections::HashMap;

use crate::ingest::Incoming;
use crate::journal::KeyedEvent;

/// Events by their source and their id.
#[derive(Default)]
pub(super) struct Recent(HashMap<String, HashMap<String, KeyedEvent>>);

impl Recent {
    /// An event was stored.
    pub(super) fn insert(&mut self, event: &Incoming, stored: KeyedEvent) {
        let of_source = match self.0.get_mut(&event.source) {
            Some(of_source) => of_source,
            None => self.0.entry(event.source.clone()).or_default(),
        };
        of_source.insert(event.id.clone(), stored);
    }

    /// What is stored under the name of an event.
    pub(super) fn get(&self, event: &Incoming) -> Option<KeyedEvent> {
        self.0.get(&event.source)?.get(&event.id).copied()
    }

    /// Forgets what everybody has found in the journal who asks when this is its head.
    pub(super) fn forget(&mut self, head: u64) {
        self.0.retain(|_, of_source| {
            of_source.retain(|_, stored| stored.position > head);
            !of_source.is_empty()
        });
    }
}
