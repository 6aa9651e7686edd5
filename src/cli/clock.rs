//! The server's clock, as a client knows it.

use jiff::{SignedDuration, Timestamp};

use crate::contract::StreamOpened;

/// The difference between the server's clock and this machine's: countdowns use the server's time.
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
