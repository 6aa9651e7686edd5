//! Why a client's stream ended, the close code that says so, and how ends are counted and logged.

use std::fmt;
use std::sync::Arc;

use crate::contract::Position;
use crate::log_limiter::LogLimiter;
use crate::metrics::{Metrics, Transport};

/// Why a client's stream ended. `docs/stream.md` lists the close codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The client closed the connection.
    Left,
    /// The connection broke.
    Gone,
    /// The client ended what it sends without a close frame. It may still read, and is told: 1002.
    Unclosed,
    /// The server is stopping: 1012.
    Restart,
    /// The server cannot see what the others store: 1013.
    CutOff,
    /// The client's token or session was withdrawn: 1012, so that it reconnects and gets the HTTP error.
    Withdrawn,
    /// The client broke the WebSocket protocol: 1002.
    Protocol(String),
    /// The client sent text that is not UTF-8: 1007.
    NotUtf8,
    /// The client sent messages too fast: 1008.
    Flood,
    /// The client sent a message that is too large: 1009.
    TooBig,
    /// The server cannot read its journal: 1011.
    Journal(String),
    /// The client took no bytes for the write deadline: 4008, with the position to resume from.
    Slow(Position),
    /// Retention dropped events that the client had not been sent yet: 4008, with the client's position.
    Expired(Position),
    /// The client answered no ping: 4009.
    NoPong,
}

impl End {
    /// The close code that the end is counted under. RFC 6455 (7.4.1) has one for each end without a close frame: 1000
    /// for a client that left, 1006 for a connection that broke.
    pub fn code(&self) -> u16 {
        match (self, self.close_code()) {
            // A browser that is killed ends the same way, so this is not counted as a breach of the protocol.
            (Self::Unclosed, _) => 1006,
            (_, Some((code, _))) => code,
            (Self::Left, None) => 1000,
            (_, None) => 1006,
        }
    }

    /// The close code and reason to send to the client; `None` when the client is gone. A reason that has a position
    /// fits into a close frame: the longest position has 81 bytes of 123.
    pub fn close_code(&self) -> Option<(u16, String)> {
        Some(match self {
            Self::Left | Self::Gone => return None,
            Self::Unclosed => (1002, "the connection ended without a close frame".to_owned()),
            Self::Restart => (1012, "the server is stopping; reconnect with your position".to_owned()),
            Self::CutOff => {
                (1013, "this server is cut off; reconnect to another one with your position".to_owned())
            }
            Self::Withdrawn => (1012, "your token or session is no longer valid; reconnect".to_owned()),
            Self::Protocol(error) => (1002, error.clone()),
            Self::NotUtf8 => (1007, "a text message is not UTF-8".to_owned()),
            Self::Flood => (1008, "too many messages; the server ignores all of them".to_owned()),
            Self::TooBig => (1009, "a message is too large".to_owned()),
            Self::Journal(_) => (1011, "the server cannot read its journal".to_owned()),
            Self::Slow(position) => (4008, format!("too slow; resume after {position}")),
            Self::Expired(position) => (4008, format!("retention dropped the events after {position}")),
            Self::NoPong => (4009, "no pong".to_owned()),
        })
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.close_code()) {
            (Self::Unclosed, _) => f.write_str("1006 ended by the client without a close frame"),
            (_, Some((code, reason))) => write!(f, "{code} {reason}"),
            (Self::Gone, None) => f.write_str("1006 connection lost"),
            (_, None) => f.write_str("1000 closed by the client"),
        }
    }
}

/// Counts and logs the ends of one transport's streams.
pub struct EndLog {
    transport: Transport,
    metrics: Arc<Metrics>,
    /// By close code.
    limiter: LogLimiter<u16>,
}

impl EndLog {
    /// Counts in `metrics`.
    pub fn new(transport: Transport, metrics: Arc<Metrics>) -> Self {
        Self { transport, metrics, limiter: LogLimiter::default() }
    }

    /// Counts and logs an end. Clients can cause some ends as often as they like: those are logged rarely.
    pub fn record(&self, end: &End) {
        let code = end.code();
        self.metrics.closed(self.transport, code);
        let transport = self.transport.as_str();
        if matches!(end, End::Left | End::Gone | End::Unclosed | End::Restart | End::CutOff | End::Withdrawn)
        {
            tracing::debug!(transport, code, %end, "client disconnected");
            return;
        }
        let Some(unsaid) = self.limiter.allows(code) else { return };
        let unsaid = (unsaid > 0).then_some(unsaid);
        match end {
            End::Slow(position) | End::Expired(position) => {
                tracing::warn!(transport, code, %position, %end, unsaid, "client disconnected by the server");
            }
            End::Journal(why) => {
                tracing::warn!(transport, code, why, %end, unsaid, "client disconnected by the server");
            }
            _ => tracing::info!(transport, code, %end, unsaid, "client disconnected by the server"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::StreamId;

    #[test]
    fn a_reason_with_the_longest_position_fits_into_a_close_frame() {
        let stream: StreamId = "x".repeat(StreamId::MAX_LEN).parse().expect("a valid name");
        let position = Position { stream, n: Position::LIMIT - 1 };
        let ends =
            [End::Restart, End::CutOff, End::Withdrawn, End::Slow(position.clone()), End::Expired(position)];
        for end in ends {
            let (_, reason) = end.close_code().expect("it has a close frame");
            assert!(reason.is_ascii() && reason.len() <= 123, "{reason}");
        }
    }
}
