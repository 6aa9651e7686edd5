//! The moment that deadlines count from.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::contract::now;

/// A moment on the monotonic clock, which may lie before this process began: that clock does not reach so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    at: Instant,
    /// How long before `at` it was.
    ahead: Duration,
}

impl Origin {
    pub(super) fn now() -> Self {
        Self { at: Instant::now(), ahead: Duration::ZERO }
    }

    /// A moment of the wall clock. If that was set back meanwhile it is now, never later.
    pub(super) fn of(began: Timestamp) -> Self {
        let ahead = Duration::try_from(now().duration_since(began)).unwrap_or_default();
        Self { ahead, ..Self::now() }
    }

    /// A moment later.
    pub(super) fn later(self, by: Duration) -> Self {
        Self { at: self.at + by.saturating_sub(self.ahead), ahead: self.ahead.saturating_sub(by) }
    }

    /// When so much time has passed since; what has passed already is now.
    pub(super) fn deadline(self, after: Duration) -> Instant {
        self.later(after).at
    }

    /// How long ago it was; nothing if it is still to come.
    pub(super) fn elapsed(self) -> Duration {
        self.ahead + self.at.elapsed()
    }

    /// On the wall clock.
    pub(super) fn timestamp(self) -> Timestamp {
        let ago = i64::try_from(self.elapsed().as_micros()).unwrap_or_default();
        let now = now();
        Timestamp::from_microsecond(now.as_microsecond().saturating_sub(ago)).unwrap_or(now)
    }
}
