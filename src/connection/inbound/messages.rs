//! What a WebSocket client sends: messages, which are ignored, and pings and close frames, which are answered.

use std::io::{ErrorKind, Write};

use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::allowance::Allowance;
use crate::delivery::End;

/// Bytes of answers that may be queued: a client that sends pings faster than it reads pongs is disconnected.
const MAX_ANSWERS: usize = 16 * 1024;

/// The protocol state of one client.
pub(in crate::connection) struct Messages {
    protocol: WebSocketContext,
    allowance: Allowance,
    /// Since the last heartbeat.
    count: u32,
    /// Since the last heartbeat.
    bytes: usize,
}

impl Messages {
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
        Self { protocol, allowance, count: 0, bytes: 0 }
    }

    /// A heartbeat interval begins: the counters restart.
    pub(super) fn beat(&mut self) {
        (self.count, self.bytes) = (0, 0);
    }

    /// Takes bytes that the client sent, for which the socket gave `raw`: 0 at the end.
    pub(super) fn take(&mut self, bytes: &[u8], raw: usize, answers: &mut Vec<u8>) -> Result<(), End> {
        self.bytes += raw;
        if raw == 0 || !bytes.is_empty() {
            self.digest(bytes, raw == 0, answers)?;
        }
        if self.bytes > self.allowance.bytes { Err(End::Flood) } else { Ok(()) }
    }

    /// Processes what the client sent behind the handshake.
    pub(super) fn take_tail(&mut self, answers: &mut Vec<u8>) -> Result<(), End> {
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
                Ok(_) => self.count += 1,
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(end_of(error)),
            }
            if self.count > self.allowance.messages || fed.answers.len() > MAX_ANSWERS {
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
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Unclosed,
        Error::Protocol(error) => End::Protocol(error.to_string()),
        Error::Capacity(CapacityError::MessageTooLong { .. }) => End::TooBig,
        Error::Utf8(_) => End::NotUtf8,
        _ => End::Gone,
    }
}
