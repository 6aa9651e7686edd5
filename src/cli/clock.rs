//! The server's clock as this end knows it.

use jiff::{SignedDuration, Timestamp};

use crate::contract::StreamOpened;

/// How far the server's clock is ahead of ours: countdowns run on the server's.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ServerClock {
    ahead: SignedDuration,
}

impl ServerClock {
    pub(super) fn set(&mut self, opened: &StreamOpened) {
        self.ahead = opened.server_time.duration_since(Timestamp::now());
    }

    pub(super) fn now(self) -> Timestamp {
        Timestamp::now().saturating_add(self.ahead).unwrap_or(Timestamp::MAX)
    }
}
