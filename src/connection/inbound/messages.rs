//! What a WebSocket client sends: messages, which are ignored, and pings and close frames, which are answered.

use std::io::{ErrorKind, Write};

use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::allowance::Allowance;
use crate::delivery::End;

/// Bytes of answers that may be queued: a client that sends pings faster than it reads pongs is disconnected.
const MAX_ANSWERS: usize = 16 * 1024;

/// What the first two bytes of a pong say: one whole frame; masked, and its length.
const PONG: u8 = 0x8a;
const MASKED: u8 = 0x80;

/// Bytes before the payload of a short frame: two, and the mask.
const SHORT_HEAD: usize = 6;

/// The longest payload of a control frame.
const LONGEST_CONTROL: usize = 125;

/// What one client has sent.
pub(in crate::connection) struct Messages {
    /// The protocol's state. Most clients only answer pings, for which none is needed: it is larger than all the rest of a
    /// client.
    protocol: Option<Box<WebSocketContext>>,
    /// Since the last heartbeat.
    count: u32,
    /// Since the last heartbeat.
    bytes: usize,
}

impl Messages {
    /// `tail` is what the client sent behind the handshake.
    pub(super) fn new(tail: Vec<u8>, allowance: &Allowance) -> Self {
        let protocol = (!tail.is_empty()).then(|| protocol(tail, allowance));
        Self { protocol, count: 0, bytes: 0 }
    }

    /// A heartbeat interval begins: the counters restart.
    pub(super) fn beat(&mut self) {
        (self.count, self.bytes) = (0, 0);
    }

    /// Takes bytes that the client sent, for which the socket gave `raw`: 0 at the end.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        raw: usize,
        answers: &mut Vec<u8>,
        allowance: &Allowance,
    ) -> Result<(), End> {
        self.bytes += raw;
        if self.protocol.is_none() && is_pong(bytes) {
            self.count += 1;
            if self.count > allowance.messages {
                return Err(End::Flood);
            }
        } else if raw == 0 || !bytes.is_empty() {
            self.digest(bytes, raw == 0, answers, allowance)?;
        }
        if self.bytes > allowance.bytes { Err(End::Flood) } else { Ok(()) }
    }

    /// Processes what the client sent behind the handshake.
    pub(super) fn take_tail(&mut self, answers: &mut Vec<u8>, allowance: &Allowance) -> Result<(), End> {
        if self.protocol.is_none() { Ok(()) } else { self.digest(&[], false, answers, allowance) }
    }

    /// Feeds bytes to the protocol until it has taken all of them.
    fn digest(
        &mut self,
        bytes: &[u8],
        eof: bool,
        answers: &mut Vec<u8>,
        allowance: &Allowance,
    ) -> Result<(), End> {
        let mut fed = Fed { bytes, eof, answers };
        let protocol = self.protocol.get_or_insert_with(|| protocol(Vec::new(), allowance));
        loop {
            match protocol.read(&mut fed) {
                Ok(Message::Close(_)) => {
                    // Queues the answer to the client's close frame.
                    let _ = protocol.flush(&mut fed);
                    return Err(End::Left);
                }
                Ok(_) => self.count += 1,
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(end_of(error)),
            }
            if self.count > allowance.messages || fed.answers.len() > MAX_ANSWERS {
                return Err(End::Flood);
            }
        }
        // Queues the pong to the last ping.
        match protocol.flush(&mut fed) {
            Ok(()) => Ok(()),
            Err(error) => Err(end_of(error)),
        }
    }
}

fn protocol(tail: Vec<u8>, allowance: &Allowance) -> Box<WebSocketContext> {
    // The read buffer is fed from the shard's, so it needs room for a header only: idle clients stay cheap.
    let config = WebSocketConfig::default()
        .read_buffer_size(64)
        .write_buffer_size(0)
        .max_write_buffer_size(usize::MAX)
        .max_message_size(Some(allowance.message_bytes))
        .max_frame_size(Some(allowance.message_bytes));
    Box::new(WebSocketContext::from_partially_read(tail, Role::Server, Some(config)))
}

/// Whether these bytes are one pong and nothing else. Everything else is the protocol's to judge.
fn is_pong(bytes: &[u8]) -> bool {
    let [PONG, second, ..] = bytes else { return false };
    let length = usize::from(second & !MASKED);
    second & MASKED != 0 && length <= LONGEST_CONTROL && bytes.len() == SHORT_HEAD + length
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    const ALLOWANCE: Allowance = Allowance { message_bytes: 1_000, messages: 3, bytes: 10_000 };

    /// A masked frame, and what it begins with.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        [&[first, MASKED | payload.len() as u8, 0, 0, 0, 0], payload].concat()
    }

    fn take(messages: &mut Messages, bytes: &[u8]) -> Result<Vec<u8>, End> {
        let mut answers = Vec::new();
        messages.take(bytes, bytes.len(), &mut answers, &ALLOWANCE).map(|()| answers)
    }

    #[test]
    fn who_only_answers_pings_needs_no_state_and_is_counted() {
        let mut messages = Messages::new(Vec::new(), &ALLOWANCE);
        for payload in [&b""[..], b"a", &[7; 125]] {
            assert_eq!(take(&mut messages, &frame(PONG, payload)).unwrap(), b"");
        }
        assert!(messages.protocol.is_none());
        assert!(matches!(take(&mut messages, &frame(PONG, b"")), Err(End::Flood)));
        messages.beat();
        assert!(take(&mut messages, &frame(PONG, b"")).is_ok());
    }

    #[test]
    fn what_is_not_one_whole_pong_is_judged_by_the_protocol() {
        let pong = frame(PONG, b"four");
        let mut whole = Messages::new(Vec::new(), &ALLOWANCE);
        for byte in &pong {
            take(&mut whole, &[*byte]).unwrap();
        }
        assert_eq!(whole.count, 1, "one in pieces");
        let mut two = Messages::new(Vec::new(), &ALLOWANCE);
        take(&mut two, &pong.repeat(2)).unwrap();
        assert_eq!(two.count, 2);
        let mut ping = Messages::new(Vec::new(), &ALLOWANCE);
        take(&mut ping, &pong).unwrap();
        assert_eq!(take(&mut ping, &frame(0x89, b"four")).unwrap(), b"\x8a\x04four");
        let unmasked = [&[PONG, 4], &b"four"[..]].concat();
        let reserved = frame(PONG | 0x40, b"four");
        let torn = frame(0x0a, b"four");
        for broken in [unmasked, reserved, torn] {
            let mut messages = Messages::new(Vec::new(), &ALLOWANCE);
            assert!(matches!(take(&mut messages, &broken), Err(End::Protocol(_))), "{broken:x?}");
        }
    }
}
