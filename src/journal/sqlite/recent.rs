//! The newest events in memory: a reader at the head does not go to the disk for what was just written.

use parking_lot::Mutex;
use std::collections::VecDeque;

use super::super::log::ReadLimit;
use super::super::record::Stored;

/// Enough for a follower that is held up for a moment.
const EVENTS: usize = 4_096;

/// The most bytes of `data`.
const BYTES: usize = 4 * 1024 * 1024;

/// Consecutive events up to the head. Only what is committed is added.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Tail>);

#[derive(Debug, Default)]
struct Tail {
    events: VecDeque<Stored>,
    bytes: usize,
}

impl Recent {
    /// Adds what a commit added, and forgets the oldest over the limits.
    pub(super) fn extend(&self, committed: impl IntoIterator<Item = Stored>) {
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

    /// A page of what follows `after`, up to `head`; `None` if it begins before what is here.
    pub(super) fn read(&self, after: u64, head: u64, limit: ReadLimit) -> Option<Vec<Stored>> {
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
