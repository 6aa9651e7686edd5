//! What clients send: it is read, answered where the protocol requires it, bounded, and otherwise ignored.

use std::io::{ErrorKind, Write};
use std::time::Duration;

use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::settings::Settings;
use super::wire::{Read, Wire};
use crate::delivery::End;

/// Bytes that are read from one client before the next one has its turn.
const TURN: usize = 64 * 1024;

/// The bytes that a client may send between two heartbeats, in messages of the largest size. This also bounds fragments
/// that never become a message.
const LARGEST: usize = 64;

/// The size of the largest ping.
const CONTROL_FRAME: usize = 6 + 125;

/// Bytes of answers that may be queued: a client that sends pings faster than it reads pongs is disconnected.
const MAX_ANSWERS: usize = 16 * 1024;

/// What a client may send.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// Bytes of one message.
    pub(super) message_bytes: usize,
    /// Messages between two heartbeats.
    pub(super) messages: u32,
    /// Bytes between two heartbeats, fragments that never become a message included.
    bytes: usize,
}

impl Allowance {
    pub(super) fn new(settings: Settings, heartbeat: Duration) -> Self {
        let messages = f64::from(settings.message_rate) * heartbeat.as_secs_f64().max(1.0);
        let (message_bytes, messages) = (settings.message_bytes, messages as u32);
        let bytes = LARGEST * message_bytes + messages as usize * CONTROL_FRAME;
        Self { message_bytes, messages, bytes }
    }
}

/// The protocol state of one client.
pub(super) struct Inbound {
    protocol: WebSocketContext,
    allowance: Allowance,
    /// Since the last heartbeat.
    messages: u32,
    /// Since the last heartbeat.
    bytes: usize,
}

/// The result of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Everything was read.
    All,
    /// The client's turn is over, and there may be more.
    More,
}

impl Inbound {
    /// `tail` is what the client sent behind the handshake.
    pub(super) fn new(tail: Vec<u8>, allowance: Allowance) -> Self {
        // The read buffer is fed from the shard's, so it needs room for a header only: idle clients stay cheap.
        let config = WebSocketConfig::default()
            .read_buffer_size(64)
            .write_buffer_size(0)
            .max_write_buffer_size(usize::MAX)
            .max_message_size(Some(allowance.message_bytes))
            .max_frame_size(Some(allowance.message_bytes));
        let protocol = WebSocketContext::from_partially_read(tail, Role::Server, Some(config));
        Self { protocol, allowance, messages: 0, bytes: 0 }
    }

    /// A heartbeat interval begins: the counters restart.
    pub(super) fn beat(&mut self) {
        (self.messages, self.bytes) = (0, 0);
    }

    /// Reads what there is by way of `scratch`, and appends answers to `answers`.
    ///
    /// # Errors
    /// The client left, broke the protocol or sent too much.
    pub(super) fn hear(
        &mut self,
        wire: &mut Wire,
        scratch: &mut [u8],
        answers: &mut Vec<u8>,
    ) -> Result<Heard, End> {
        let mut turn = 0;
        loop {
            let (fed, raw) = match wire.read(scratch) {
                Ok(Read { bytes, raw }) => (&scratch[..bytes], raw),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Heard::All),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Err(End::Gone),
            };
            turn += raw;
            self.bytes += raw;
            if raw == 0 || !fed.is_empty() {
                self.digest(fed, raw == 0, answers)?;
            }
            if self.bytes > self.allowance.bytes {
                return Err(End::Flood);
            }
            if turn >= TURN {
                return Ok(Heard::More);
            }
        }
    }

    /// Processes what the client sent behind the handshake.
    pub(super) fn hear_tail(&mut self, answers: &mut Vec<u8>) -> Result<(), End> {
        self.digest(&[], false, answers)
    }

    /// Feeds bytes to the protocol until it has taken all of them.
    fn digest(&mut self, bytes: &[u8], eof: bool, answers: &mut Vec<u8>) -> Result<(), End> {
        let mut fed = Fed { bytes, eof, answers };
        loop {
            match self.protocol.read(&mut fed) {
                Ok(Message::Close(_)) => {
                    // Queues the answer to the client's close frame.
                    let _ = self.protocol.flush(&mut fed);
                    return Err(End::Left);
                }
                Ok(_) => self.messages += 1,
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(end_of(error)),
            }
            if self.messages > self.allowance.messages || fed.answers.len() > MAX_ANSWERS {
                return Err(End::Flood);
            }
        }
        // Queues the pong to the last ping.
        match self.protocol.flush(&mut fed) {
            Ok(()) => Ok(()),
            Err(error) => Err(end_of(error)),
        }
    }
}

/// The socket as the protocol sees it: bytes that were read, and the queue for its answers.
struct Fed<'a> {
    bytes: &'a [u8],
    eof: bool,
    answers: &'a mut Vec<u8>,
}

impl std::io::Read for Fed<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.bytes.is_empty() && !self.eof {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.bytes.read(into)
    }
}

impl Write for Fed<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.answers.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What an error of the protocol means for the client.
fn end_of(error: Error) -> End {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => End::Left,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Gone,
        Error::Protocol(error) => End::Protocol(error.to_string()),
        Error::Capacity(CapacityError::MessageTooLong { .. }) => End::TooBig,
        Error::Utf8(_) => End::NotUtf8,
        _ => End::Gone,
    }
}
