//! The newest events in memory, so that a reader near the head needs no disk access.

use parking_lot::Mutex;
use std::collections::VecDeque;

use super::log::ReadLimit;
use super::record::Stored;

/// The most events in memory: enough for a follower that falls behind for a moment.
const EVENTS: usize = 4_096;

/// The most bytes of `data` in memory.
const BYTES: usize = 4 * 1024 * 1024;

/// Consecutive events up to the head. Only committed events are added.
#[derive(Debug, Default)]
pub(in crate::journal) struct Recent(Mutex<Tail>);

#[derive(Debug, Default)]
struct Tail {
    events: VecDeque<Stored>,
    bytes: usize,
}

impl Recent {
    /// Adds the events of a commit, and removes the oldest ones above the limits.
    pub(in crate::journal) fn extend(&self, committed: impl IntoIterator<Item = Stored>) {
        let mut tail = self.0.lock();
        for event in committed {
            tail.bytes += event.data.get().len();
            tail.events.push_back(event);
        }
        while tail.events.len() > EVENTS || tail.bytes > BYTES {
            let Some(oldest) = tail.events.pop_front() else { return };
            tail.bytes -= oldest.data.get().len();
        }
    }

    /// Forgets everything: what follows is not the next event.
    #[cfg(feature = "nats")]
    pub(in crate::journal) fn clear(&self) {
        *self.0.lock() = Tail::default();
    }

    /// The events after `after` and up to `head`, within `limit`; `None` if the first of them is no longer in memory.
    pub(in crate::journal) fn read(&self, after: u64, head: u64, limit: ReadLimit) -> Option<Vec<Stored>> {
        let tail = self.0.lock();
        let first = tail.events.front()?.position;
        let skip = usize::try_from((after + 1).checked_sub(first)?).ok()?;
        let mut bytes = 0;
        let events = tail.events.iter().skip(skip).take(limit.events).take_while(|event| {
            let fits = bytes < limit.bytes && event.position <= head;
            bytes += event.data.get().len();
            fits
        });
        Some(events.cloned().collect())
    }
}
