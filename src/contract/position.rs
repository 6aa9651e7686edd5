//! Positions: the number of an event in a stream. A client resumes a stream from a position.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a stream. Every new journal starts a stream with a new name, so that a position in a lost or repaired
/// journal is never mistaken for one in its successor.
///
/// A generated name has 16 characters of Crockford's base 32: 10 for the time in milliseconds, as in a ULID, then 6
/// random ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(String);

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl StreamId {
    /// The longest name that is accepted, in bytes: a position must fit into the reason of a WebSocket close frame.
    pub const MAX_LEN: usize = 64;

    /// Makes a name from a wall clock in milliseconds since 1970 and random bits.
    pub fn generate(unix_ms: u64, random: u64) -> Self {
        let digit = |value: u64| char::from(CROCKFORD[(value & 31) as usize]);
        let time = (0..10).rev().map(|place| digit(unix_ms >> (5 * place)));
        let rest = (0..6).map(|place| digit(random >> (5 * place)));
        Self(time.chain(rest).collect())
    }

    /// Makes a new name from the system's clock and its random numbers.
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

/// A position, written `STREAM/N`: the client has all events of `stream` up to and including number `n`. `n` is 0
/// before the first event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position {
    /// The stream in which `n` counts.
    pub stream: StreamId,
    /// Number of the event in its stream, from 1, without gaps.
    pub n: u64,
}

impl Position {
    /// Numbers of events stay below 2^53, so that JavaScript represents them exactly.
    pub const LIMIT: u64 = 1 << 53;
}

/// Why a text is not a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PositionError {
    /// `17` instead of `STREAM/17`.
    #[error(
        "a position has the form STREAM/N, as in 01J9ZC3V7Q4M2XKD/17; 0 alone asks for every event that is kept"
    )]
    NoStream,
    /// The part before the slash is empty, longer than [`StreamId::MAX_LEN`], or has characters other than letters,
    /// digits, `-` and `_`.
    #[error("the stream in a position must be 1 to 64 letters, digits, '-' or '_'")]
    Stream,
    /// The part after the slash is not a decimal number below 2^53.
    #[error("the number in a position must be a decimal number from 0 to 9007199254740991 (2^53 - 1)")]
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
        // `u64::from_str` would accept a leading '+'.
        if n.is_empty() || !n.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PositionError::Number);
        }
        match n.parse() {
            Ok(n) if n < Self::LIMIT => Ok(Self { stream, n }),
            _ => Err(PositionError::Number),
        }
    }
}
