//! A set that forgets what came first when it is full, so that memory does not grow with the length of a stream.

use std::collections::{HashSet, VecDeque};

/// How many values are remembered.
const REMEMBERED: usize = 200_000;

#[derive(Debug, Default)]
pub(super) struct Recent {
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Recent {
    pub(super) fn contains(&self, value: u64) -> bool {
        self.known.contains(&value)
    }

    /// Adds a value. Returns whether it is new, as far as is remembered.
    pub(super) fn add(&mut self, value: u64) -> bool {
        if !self.known.insert(value) {
            return false;
        }
        self.order.push_back(value);
        if self.order.len() > REMEMBERED
            && let Some(first) = self.order.pop_front()
        {
            self.known.remove(&first);
        }
        true
    }
}
