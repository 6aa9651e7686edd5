//! The clock of a journal: a wall clock that never goes back, for the times of its events.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::contract::now;

/// The wall clock at the start plus a monotonic clock since then. A correction of the system's clock therefore cannot
/// make events appear to happen before their causes.
#[derive(Debug)]
pub(super) struct Clock {
    origin: (Timestamp, Instant),
    last: Timestamp,
}

impl Clock {
    pub(super) fn new() -> Self {
        let start = now();
        Self { origin: (start, Instant::now()), last: start }
    }

    /// A clock that never shows a time before `last_us`, the last time of an earlier process in microseconds since
    /// 1970.
    pub(super) fn after(last_us: Option<i64>) -> Self {
        let mut clock = Self::new();
        if let Some(last) = last_us.and_then(|last| Timestamp::from_microsecond(last).ok()) {
            clock.last = clock.last.max(last);
        }
        clock
    }

    /// The time now, in whole microseconds; never earlier than the time that the last call returned.
    pub(super) fn tick(&mut self) -> Timestamp {
        let since = i64::try_from(self.origin.1.elapsed().as_micros()).unwrap_or(i64::MAX);
        let time = self.origin.0.saturating_add(SignedDuration::from_micros(since)).unwrap_or(self.last);
        self.last = self.last.max(time);
        self.last
    }
}
