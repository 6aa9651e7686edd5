//! The server's clock, as a client knows it.

use jiff::{SignedDuration, Timestamp};

use crate::contract::StreamOpened;

/// The difference between the server's clock and this machine's: countdowns use the server's time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ServerClock {
    ahead: SignedDuration,
    /// Where the clock stands while the connection is lost.
    stopped: Option<Timestamp>,
}

impl ServerClock {
    pub(super) fn set(&mut self, opened: &StreamOpened) {
        self.ahead = opened.server_time.duration_since(Timestamp::now());
        self.stopped = None;
    }

    /// Stops the clock: without a connection nobody knows whether the incident still goes on.
    pub(super) fn stop(&mut self) {
        self.stopped = Some(self.now());
    }

    /// Lets it go on.
    pub(super) fn go_on(&mut self) {
        self.stopped = None;
    }

    pub(super) fn now(self) -> Timestamp {
        let running = || Timestamp::now().saturating_add(self.ahead).unwrap_or(Timestamp::MAX);
        self.stopped.unwrap_or_else(running)
    }
}
