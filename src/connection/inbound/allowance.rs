//! How much a client may send.

use std::time::Duration;

use crate::connection::settings::Settings;

/// The bytes that a client may send between two heartbeats, in messages of the largest size. This also bounds fragments
/// that never become a message.
const LARGEST: usize = 64;

/// The size of the largest ping.
const CONTROL_FRAME: usize = 6 + 125;

/// What a client may send.
#[derive(Debug, Clone, Copy)]
pub(in crate::connection) struct Allowance {
    /// Bytes of one message.
    pub(in crate::connection) message_bytes: usize,
    /// Messages between two heartbeats.
    pub(in crate::connection) messages: u32,
    /// Bytes between two heartbeats, fragments that never become a message included.
    pub(in crate::connection) bytes: usize,
}

impl Allowance {
    pub(in crate::connection) fn new(settings: Settings, heartbeat: Duration) -> Self {
        let messages = f64::from(settings.message_rate) * heartbeat.as_secs_f64().max(1.0);
        let (message_bytes, messages) = (settings.message_bytes, messages as u32);
        let bytes = LARGEST * message_bytes + messages as usize * CONTROL_FRAME;
        Self { message_bytes, messages, bytes }
    }
}
