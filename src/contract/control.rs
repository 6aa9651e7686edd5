//! Control messages: what a server says about its stream. They have no position.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{whole, wire_time};

/// The first message on every connection: which stream it is and exactly which events follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StreamOpened {
    /// Version of the contract, `MAJOR.MINOR`.
    pub contract: String,
    /// The stream's name: the part of a position before the slash.
    pub stream: String,
    /// Position of the newest event, 0 in an empty stream.
    #[serde(deserialize_with = "whole::deserialize")]
    pub head: u64,
    /// Position of the oldest event that is kept; `head` + 1 if no event is kept.
    #[schemars(range(min = 1))]
    #[serde(deserialize_with = "whole::deserialize")]
    pub oldest: u64,
    /// Which events are sent next.
    pub follows: Follows,
    /// Milliseconds between heartbeats.
    #[schemars(range(min = 1))]
    #[serde(deserialize_with = "whole::deserialize")]
    pub heartbeat_ms: u64,
    /// The server's clock when it wrote this message.
    #[serde(with = "wire_time")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub server_time: Timestamp,
}

/// The stored events from `from` to `to` follow at once, both included (none if `from` = `to` + 1), then live events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Follows {
    /// The client gave no position and gets the events from the start of the oldest open incident, or only new
    /// events if no incident is open. Or it gave `after=0` and gets every event that is kept.
    Started {
        /// First position.
        #[serde(deserialize_with = "whole::deserialize")]
        from: u64,
        /// Last position.
        #[serde(deserialize_with = "whole::deserialize")]
        to: u64,
    },
    /// The client gets every event after the position that it gave.
    Resumed {
        /// First position: the given one + 1.
        #[serde(deserialize_with = "whole::deserialize")]
        from: u64,
        /// Last position.
        #[serde(deserialize_with = "whole::deserialize")]
        to: u64,
    },
    /// The stream cannot be resumed from the given position: the client misses events before `from`.
    Reset {
        /// Why the stream cannot be resumed.
        reason: ResetReason,
        /// First position.
        #[serde(deserialize_with = "whole::deserialize")]
        from: u64,
        /// Last position.
        #[serde(deserialize_with = "whole::deserialize")]
        to: u64,
    },
}

impl Follows {
    /// First and last position of the stored events that follow at once.
    pub fn range(&self) -> (u64, u64) {
        match *self {
            Self::Started { from, to } | Self::Resumed { from, to } | Self::Reset { from, to, .. } => {
                (from, to)
            }
        }
    }
}

/// Why a stream cannot be resumed from a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResetReason {
    /// The position belongs to another stream, because the journal was created anew. The client gets the same events as
    /// a new client.
    OtherStream,
    /// Retention dropped events after the position. The client gets every event that is kept.
    Expired,
    /// The position is beyond the head. The client gets the same events as a new client.
    Ahead,
}

impl ResetReason {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OtherStream => "other-stream",
            Self::Expired => "expired",
            Self::Ahead => "ahead",
        }
    }
}

/// Sent at a fixed interval to every client that has all events. A client whose position is lower than `head` when it
/// reads a heartbeat has lost events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Heartbeat {
    /// The stream's name.
    pub stream: String,
    /// Position of the newest event.
    #[serde(deserialize_with = "whole::deserialize")]
    pub head: u64,
    /// Whether the server publishes events.
    pub state: ServerState,
    /// Why the server is paused; absent while it publishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether the server publishes events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    /// The server publishes events when they are due.
    Playing,
    /// The server cannot store events and therefore publishes none; the heartbeat's `reason` says why.
    Paused,
}
