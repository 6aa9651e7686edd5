//! What follows a position: the one place that decides between started, resumed and reset.

use std::str::FromStr;

use crate::contract::{Follows, Position, PositionError, ResetReason, StreamId};
use crate::journal::Extent;

/// Where a client wants to go on, as in `?after=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// `0`: everything that is kept.
    Nothing,
    /// `STREAM/N`: what comes after that position.
    Position(Position),
}

impl FromStr for After {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        if text == "0" { Ok(Self::Nothing) } else { text.parse().map(Self::Position) }
    }
}

/// `newcomer` is the position with which a client without a position begins.
pub(super) fn follows(after: Option<&After>, stream: &StreamId, extent: Extent, newcomer: u64) -> Follows {
    let from_newcomer = (newcomer, extent.head.max(newcomer - 1));
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
