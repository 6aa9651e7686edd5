//! What clients say: read, answered where the protocol wants an answer, bounded, and otherwise ignored.

use std::io::{ErrorKind, Write};
use std::time::Duration;

use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::wire::{Read, Wire};
use super::{End, Settings};

/// Bytes that are read of one client before the others have a turn.
const TURN: usize = 64 * 1024;

/// Messages of the largest size whose bytes a client may send between two heartbeats. Fragments that never become a
/// message have bytes too.
const LARGEST: usize = 64;

/// The most that a ping has.
const CONTROL_FRAME: usize = 6 + 125;

/// Answers that may stand in line: who asks faster than it reads the answers is not served.
const MAX_ANSWERS: usize = 16 * 1024;

/// What a client may say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// In one message.
    pub(super) message_bytes: usize,
    /// Between two heartbeats.
    pub(super) messages: u32,
    /// Of all of them, and of fragments that never become a message.
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

/// The protocol's state of one client.
pub(super) struct Inbound {
    protocol: WebSocketContext,
    allowance: Allowance,
    /// Since the last heartbeat.
    messages: u32,
    bytes: usize,
}

/// What reading came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Everything that was there.
    All,
    /// There may be more: the turn is over.
    More,
}

impl Inbound {
    /// `tail` is what came behind the handshake.
    pub(super) fn new(tail: Vec<u8>, allowance: Allowance) -> Self {
        // The read buffer is fed from the shard's, so it needs room for a header only: an idle client should cost
        // next to nothing.
        let config = WebSocketConfig::default()
            .read_buffer_size(64)
            .write_buffer_size(0)
            .max_write_buffer_size(usize::MAX)
            .max_message_size(Some(allowance.message_bytes))
            .max_frame_size(Some(allowance.message_bytes));
        let protocol = WebSocketContext::from_partially_read(tail, Role::Server, Some(config));
        Self { protocol, allowance, messages: 0, bytes: 0 }
    }

    /// Another interval begins.
    pub(super) fn beat(&mut self) {
        (self.messages, self.bytes) = (0, 0);
    }

    /// Reads what is there, by way of `scratch`; answers are added to `answers`.
    ///
    /// # Errors
    /// The client left, broke the protocol or says too much.
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

    /// Takes what came behind the handshake.
    pub(super) fn hear_tail(&mut self, answers: &mut Vec<u8>) -> Result<(), End> {
        self.digest(&[], false, answers)
    }

    /// Feeds bytes to the protocol until it has taken all of them.
    fn digest(&mut self, bytes: &[u8], eof: bool, answers: &mut Vec<u8>) -> Result<(), End> {
        let mut fed = Fed { bytes, eof, answers };
        loop {
            match self.protocol.read(&mut fed) {
                Ok(Message::Close(_)) => {
                    // Its answer.
                    let _ = self.protocol.flush(&mut fed);
                    return Err(End::Left);
                }
                Ok(_) => self.messages += 1,
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(End::of(error)),
            }
            if self.messages > self.allowance.messages || fed.answers.len() > MAX_ANSWERS {
                return Err(End::Flood);
            }
        }
        // A pong to the last ping.
        match self.protocol.flush(&mut fed) {
            Ok(()) => Ok(()),
            Err(error) => Err(End::of(error)),
        }
    }
}

/// The protocol's view of the socket: bytes that were read, and a place for what it answers.
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
