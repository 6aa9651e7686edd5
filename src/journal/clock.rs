//! The time of an append: wall clock that never falls back.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::contract::now;

/// Wall clock at the start plus a monotonic clock since, so that a correction of the system's clock cannot make
/// events appear to happen before their causes.
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

    /// Goes on behind the last time of an earlier process, in microseconds since 1970.
    pub(super) fn after(last_us: Option<i64>) -> Self {
        let mut clock = Self::new();
        if let Some(last) = last_us.and_then(|last| Timestamp::from_microsecond(last).ok()) {
            clock.last = clock.last.max(last);
        }
        clock
    }

    /// Never before the one it gave before. Whole microseconds.
    pub(super) fn tick(&mut self) -> Timestamp {
        let since = i64::try_from(self.origin.1.elapsed().as_micros()).unwrap_or(i64::MAX);
        let time = self.origin.0.saturating_add(SignedDuration::from_micros(since)).unwrap_or(self.last);
        self.last = self.last.max(time);
        self.last
    }
}
