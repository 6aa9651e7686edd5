//! Why a connection ended, and the close code that says so. The README has the same table.

use std::fmt;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Connection;
use crate::contract::Position;

/// How long the client has to answer a close frame.
const CLOSING_HANDSHAKE: Duration = Duration::from_secs(1);

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The client closed it.
    Left,
    /// The socket broke.
    Gone,
    /// The server stops: 1012.
    Restart,
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
    /// As [`End::Slow`], in the middle of a frame: nothing more can be said.
    Stuck(Position),
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
            // Too slow even to be told so.
            (Self::Stuck(_), None) => 4008,
            (_, None) => 1006,
        }
    }

    /// The close code and reason that the client is told; `None` when there is nobody to tell.
    pub fn close_code(&self) -> Option<(u16, String)> {
        Some(match self {
            Self::Left | Self::Gone | Self::Stuck(_) => return None,
            Self::Restart => (1012, "server stops; reconnect with your position".to_owned()),
            Self::Protocol(error) => (1002, error.clone()),
            Self::NotUtf8 => (1007, "text that is not UTF-8".to_owned()),
            Self::Flood => (1008, "too many messages: nothing that you send is read".to_owned()),
            Self::TooBig => (1009, format!("messages may have {} bytes", super::MAX_INBOUND_BYTES)),
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
            (Self::Stuck(position), None) => write!(f, "stuck after {position}"),
            (Self::Gone, None) => f.write_str("connection lost"),
            (_, None) => f.write_str("closed by the client"),
        }
    }
}

impl Connection {
    /// Sends the close frame and waits a moment for the answer: a socket that is closed while the peer's bytes
    /// lie unread is reset, and with it goes what was sent last.
    pub(super) async fn say_goodbye(&mut self, end: &End) {
        let goodbye = async {
            if let Some((code, reason)) = end.close_code() {
                // A close frame holds 123 bytes of reason.
                let reason = reason.chars().take(123).filter(char::is_ascii).collect::<String>();
                let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
                self.socket.send(Message::Close(Some(frame))).await?;
            } else if *end == End::Left {
                self.socket.flush().await?;
            } else {
                return Ok(());
            }
            while let Some(message) = self.socket.next().await {
                message?;
            }
            Ok::<_, Error>(())
        };
        // Whether the client answers in time or not, this is the end.
        let _ = timeout(CLOSING_HANDSHAKE, goodbye).await;
    }
}
