//! What clients say: read, answered where the protocol wants an answer, bounded, and otherwise ignored.

use std::io::{ErrorKind, Read, Write};

use mio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::End;

/// The largest message a client may send. What it says is ignored; this bounds what that costs.
pub const MAX_INBOUND_BYTES: usize = 16 * 1024;

/// Messages that a client may send between two heartbeats …
const MAX_MESSAGES: u32 = 500;

/// … and bytes, of which fragments that never become a message are some too.
const MAX_BYTES: usize = 1024 * 1024;

/// Bytes that are read of one client before the others have a turn.
const TURN: usize = 64 * 1024;

/// Answers that may stand in line: who asks faster than it reads the answers is not served.
const MAX_ANSWERS: usize = 16 * 1024;

/// The protocol's state of one client.
pub(super) struct Inbound {
    protocol: WebSocketContext,
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
    pub(super) fn new(tail: Vec<u8>) -> Self {
        // The read buffer is fed from the shard's, so it needs room for a header only: an idle client should cost
        // next to nothing.
        let config = WebSocketConfig::default()
            .read_buffer_size(64)
            .write_buffer_size(0)
            .max_write_buffer_size(2 * MAX_INBOUND_BYTES)
            .max_message_size(Some(MAX_INBOUND_BYTES))
            .max_frame_size(Some(MAX_INBOUND_BYTES));
        let protocol = WebSocketContext::from_partially_read(tail, Role::Server, Some(config));
        Self { protocol, messages: 0, bytes: 0 }
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
        tcp: &TcpStream,
        scratch: &mut [u8],
        answers: &mut Vec<u8>,
    ) -> Result<Heard, End> {
        let mut turn = 0;
        loop {
            let fed = match (&mut &*tcp).read(scratch) {
                Ok(0) => &[],
                Ok(read) => &scratch[..read],
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Heard::All),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Err(End::Gone),
            };
            turn += fed.len();
            self.bytes += fed.len();
            let eof = fed.is_empty();
            self.digest(fed, eof, answers)?;
            if self.bytes > MAX_BYTES {
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
    fn digest(&mut self, fed: &[u8], eof: bool, answers: &mut Vec<u8>) -> Result<(), End> {
        let mut wire = Fed { bytes: fed, eof, answers };
        loop {
            match self.protocol.read(&mut wire) {
                Ok(Message::Close(_)) => {
                    // Its answer.
                    let _ = self.protocol.flush(&mut wire);
                    return Err(End::Left);
                }
                Ok(_) => self.messages += 1,
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(End::of(error)),
            }
            if self.messages > MAX_MESSAGES || wire.answers.len() > MAX_ANSWERS {
                return Err(End::Flood);
            }
        }
        // A pong to the last ping.
        match self.protocol.flush(&mut wire) {
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

impl Read for Fed<'_> {
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
