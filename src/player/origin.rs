//! The origin of an incident: the moment from which its deadlines count.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// A moment on the monotonic clock. It may be earlier than the clock can represent, so it is kept as a moment and a
/// distance before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    at: Instant,
    /// How long before `at` the moment was.
    ahead: Duration,
}

impl Origin {
    pub(super) fn now() -> Self {
        Self { at: Instant::now(), ahead: Duration::ZERO }
    }

    /// The moment that was this long ago.
    pub(super) fn ago(elapsed: Duration) -> Self {
        Self::now().earlier(elapsed)
    }

    /// The moment that is `by` later.
    pub(super) fn later(self, by: Duration) -> Self {
        Self { at: self.at + by.saturating_sub(self.ahead), ahead: self.ahead.saturating_sub(by) }
    }

    /// The moment that is `by` earlier.
    pub(super) fn earlier(self, by: Duration) -> Self {
        Self { ahead: self.ahead.saturating_add(by), ..self }
    }

    /// The deadline `after` the origin, on tokio's clock; now if it has already passed.
    pub(super) fn deadline(self, after: Duration) -> Instant {
        self.later(after).at
    }

    /// How long ago the moment was; zero if it is in the future.
    pub(super) fn elapsed(self) -> Duration {
        self.ahead + self.at.elapsed()
    }

    /// The moment as the journal's clock dates it, which shows `now`.
    pub(super) fn timestamp(self, now: Timestamp) -> Timestamp {
        let ago = i64::try_from(self.elapsed().as_micros()).unwrap_or_default();
        Timestamp::from_microsecond(now.as_microsecond().saturating_sub(ago)).unwrap_or(now)
    }
}
