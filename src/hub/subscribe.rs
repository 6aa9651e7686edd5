//! What a new client is sent first: the one place that decides between started, resumed and reset.

use std::str::FromStr;

use super::frame::Frame;
use crate::contract::{Follows, Position, PositionError, ResetReason, StreamId};
use crate::journal::Extent;

/// Where a client wants to begin, as in `?after=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// `0`: at the oldest event that is kept.
    Nothing,
    /// `STREAM/N`: behind that position.
    Position(Position),
}

impl FromStr for After {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        if text == "0" { Ok(Self::Nothing) } else { text.parse().map(Self::Position) }
    }
}

/// The first frame for a client, and where its events begin.
#[derive(Debug, Clone)]
pub struct Opening {
    /// `stream_opened`.
    pub frame: Frame,
    /// The position after which the client's events begin.
    pub cursor: u64,
}

/// `newcomer` is the position at which a client without one begins.
pub(super) fn follows(after: Option<&After>, stream: &StreamId, extent: Extent, newcomer: u64) -> Follows {
    let from_newcomer = (newcomer, extent.head.max(newcomer.saturating_sub(1)));
    let reset = |reason, (from, to)| Follows::Reset { reason, from, to };
    match after {
        None => Follows::Started { from: from_newcomer.0, to: from_newcomer.1 },
        Some(After::Nothing) => Follows::Started { from: extent.oldest, to: extent.head },
        Some(After::Position(position)) if position.stream != *stream => {
            reset(ResetReason::OtherStream, from_newcomer)
        }
        Some(After::Position(position)) if position.n > extent.head => {
            reset(ResetReason::Ahead, from_newcomer)
        }
        Some(After::Position(position)) if position.n + 1 < extent.oldest => {
            reset(ResetReason::Expired, (extent.oldest, extent.head))
        }
        Some(After::Position(position)) => Follows::Resumed { from: position.n + 1, to: extent.head },
    }
}
