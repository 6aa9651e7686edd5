//! Positions: where an event stands in a stream, and the only resume token there is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Names one stream (one life of a journal). New whenever a journal is created, so that a position in a lost
/// or repaired journal is never mistaken for one in its successor.
///
/// 16 characters of Crockford's base 32: 10 of time in milliseconds, as in a ULID, then 6 random ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(String);

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl StreamId {
    /// The longest name that is accepted from outside: positions must fit into a close frame's reason.
    pub const MAX_LEN: usize = 64;

    /// A new name from a wall clock in milliseconds since 1970 and random bits.
    pub fn generate(unix_ms: u64, random: u64) -> Self {
        let digit = |value: u64| char::from(CROCKFORD[(value & 31) as usize]);
        let time = (0..10).rev().map(|place| digit(unix_ms >> (5 * place)));
        let rest = (0..6).map(|place| digit(random >> (5 * place)));
        Self(time.chain(rest).collect())
    }

    /// A new name from the clock and the system's randomness.
    pub fn fresh() -> Self {
        let unix_ms = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or_default();
        Self::generate(unix_ms, crate::random::bits())
    }

    /// The name as it is written on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StreamId {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let valid = !text.is_empty()
            && text.len() <= Self::MAX_LEN
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if valid { Ok(Self(text.to_owned())) } else { Err(PositionError::Stream) }
    }
}

/// `STREAM/N`: all events of `stream` up to and including the `n`th have been seen. `n` is 0 before the first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position {
    /// The stream in which `n` counts.
    pub stream: StreamId,
    /// The event's place in its stream, from 1, gapless.
    pub n: u64,
}

impl Position {
    /// Positions stay below 2^53, so that JavaScript holds them exactly.
    pub const LIMIT: u64 = 1 << 53;
}

/// Why a text is not a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PositionError {
    /// `17` instead of `STREAM/17`.
    #[error(
        "a position names its stream: STREAM/N, as in 01J9ZC3V7Q4M2XKD/17 (0 replays everything that is kept)"
    )]
    NoStream,
    /// The part before the slash is empty, too long or has other characters than letters, digits, `-`, `_`.
    #[error("the stream of a position has 1 to 64 letters, digits, '-' or '_'")]
    Stream,
    /// The part after the slash is not a decimal number below 2^53.
    #[error("the number of a position is a decimal number from 0 to 9007199254740991 (2^53 - 1)")]
    Number,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stream, self.n)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let (stream, n) = text.rsplit_once('/').ok_or(PositionError::NoStream)?;
        let stream = stream.parse()?;
        // `u64::from_str` would take a leading '+'.
        if n.is_empty() || !n.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PositionError::Number);
        }
        match n.parse() {
            Ok(n) if n < Self::LIMIT => Ok(Self { stream, n }),
            _ => Err(PositionError::Number),
        }
    }
}
