//! How WebSocket connections behave.

use std::time::Duration;

/// A client that sent nothing, not even a pong, for so many heartbeats is gone.
pub const SILENT_HEARTBEATS: u8 = 9;

/// The limits of one client.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long a full socket may take nothing before its client is disconnected.
    pub write_deadline: Duration,
    /// The largest message that a client may send. Messages are ignored; this bounds what reading them costs.
    pub message_bytes: usize,
    /// How many messages a second a client may send.
    pub message_rate: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { write_deadline: Duration::from_secs(10), message_bytes: 16 * 1024, message_rate: 100 }
    }
}
