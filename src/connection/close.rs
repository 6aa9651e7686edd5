//! Why a connection ended, and the close code that says so. The README has the same table.

use std::fmt;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};

use super::client::Client;
use super::outgoing::Wrote;
use crate::contract::Position;
use crate::metrics::{Metrics, Transport};
use crate::seldom::Seldom;

/// How long the client has to answer a close frame.
const CLOSING_HANDSHAKE: Duration = Duration::from_secs(1);

/// The send buffer of a slow client's socket is raised to this for the rest of a frame and the close frame.
const ROOM_TO_CLOSE: usize = 1024 * 1024;

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The client closed it.
    Left,
    /// The socket broke.
    Gone,
    /// The server stops: 1012.
    Restart,
    /// What let it in was taken back: 1012, so that it comes back and is told so.
    Withdrawn,
    /// It broke the WebSocket protocol: 1002.
    Protocol(String),
    /// It sent text that is not UTF-8: 1007.
    NotUtf8,
    /// It sent more messages than anyone reads: 1008.
    Flood,
    /// It sent a message that is too large: 1009.
    TooBig,
    /// The journal can't be read: 1011.
    Journal(String),
    /// It took nothing for the write deadline: 4008, with the position to resume from.
    Slow(Position),
    /// It was so far behind that retention overtook it: 4008, with its position.
    Expired(Position),
    /// It answered no ping: 4009.
    NoPong,
}

impl End {
    pub(super) fn of(error: Error) -> Self {
        match error {
            Error::ConnectionClosed | Error::AlreadyClosed => Self::Left,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Gone,
            Error::Protocol(error) => Self::Protocol(error.to_string()),
            Error::Capacity(CapacityError::MessageTooLong { .. }) => Self::TooBig,
            Error::Utf8(_) => Self::NotUtf8,
            _ => Self::Gone,
        }
    }

    /// The close code that it is counted under. RFC 6455 (7.4.1) has one for each end without a close frame: 1000
    /// for a client that left, 1006 for a connection that broke.
    pub fn code(&self) -> u16 {
        match (self, self.close_code()) {
            (_, Some((code, _))) => code,
            (Self::Left, None) => 1000,
            (_, None) => 1006,
        }
    }

    /// Counts and logs it: what strangers can bring about as often as they like is logged seldom.
    pub fn tell(&self, transport: Transport, metrics: &Metrics, said: &Seldom<u16>) {
        let code = self.code();
        metrics.closed(transport, code);
        let transport = transport.as_str();
        if matches!(self, Self::Left | Self::Gone | Self::Restart | Self::Withdrawn) {
            tracing::debug!(transport, code, end = %self, "client gone");
            return;
        }
        let Some(unsaid) = said.now(code) else { return };
        let unsaid = (unsaid > 0).then_some(unsaid);
        match self {
            Self::Slow(position) | Self::Expired(position) => {
                tracing::warn!(transport, code, %position, end = %self, unsaid, "client cut off");
            }
            Self::Journal(why) => tracing::warn!(transport, code, why, end = %self, unsaid, "client cut off"),
            _ => tracing::info!(transport, code, end = %self, unsaid, "client cut off"),
        }
    }

    /// The close code and reason that the client is told; `None` when there is nobody to tell.
    pub fn close_code(&self) -> Option<(u16, String)> {
        Some(match self {
            Self::Left | Self::Gone => return None,
            Self::Restart => (1012, "server stops; reconnect with your position".to_owned()),
            Self::Withdrawn => (1012, "what let you in was withdrawn; reconnect".to_owned()),
            Self::Protocol(error) => (1002, error.clone()),
            Self::NotUtf8 => (1007, "text that is not UTF-8".to_owned()),
            Self::Flood => (1008, "too many messages: nothing that you send is read".to_owned()),
            Self::TooBig => (1009, "a message that is too large".to_owned()),
            Self::Journal(_) => (1011, "the journal can't be read".to_owned()),
            Self::Slow(position) => (4008, format!("too slow; resume after {position}")),
            Self::Expired(position) => (4008, format!("overtaken by retention after {position}")),
            Self::NoPong => (4009, "no pong".to_owned()),
        })
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.close_code()) {
            (_, Some((code, reason))) => write!(f, "{code} {reason}"),
            (Self::Gone, None) => f.write_str("connection lost"),
            (_, None) => f.write_str("closed by the client"),
        }
    }
}

impl Client {
    /// Sends the close frame, if there is one to send. Whether anything is waited for: the client's answer, for a
    /// moment.
    pub(super) fn say_goodbye(&mut self, end: &End) -> bool {
        let (outgoing, wire) = self.outgoing();
        let goodbye = match (end.close_code(), end) {
            (Some((code, reason)), _) => frame(code, &reason),
            // The answer to its goodbye stands in line already.
            (None, End::Left) => Vec::new(),
            (None, _) => return false,
        };
        // A close frame can only stand on a frame's border: the rest of a half-written one is pushed into a send
        // buffer that is made larger for it.
        let _ = SockRef::from(&wire.tcp).set_send_buffer_size(ROOM_TO_CLOSE);
        outgoing.control().extend_from_slice(&goodbye);
        if !matches!(outgoing.flush(wire), Ok(Wrote::Everything)) {
            return false;
        }
        self.leave(Instant::now() + CLOSING_HANDSHAKE);
        // Nothing more is said: who listens sees the end, and closes.
        self.wire.shutdown().is_ok()
    }
}

/// A close frame. Its reason has at most 123 bytes.
fn frame(code: u16, reason: &str) -> Vec<u8> {
    let reason: String = reason.chars().filter(char::is_ascii).take(123).collect();
    let mut frame = vec![0x88, 2 + reason.len() as u8];
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(reason.as_bytes());
    frame
}
