//! Control messages: a server sends them about its stream; they have no position.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::envelope::wire_time;

/// The first message on every connection: what this stream is and what exactly follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StreamOpened {
    /// Version of the contract, `MAJOR.MINOR`.
    pub contract: String,
    /// The stream's name: the first half of a position.
    pub stream: String,
    /// Position of the newest event, 0 in an empty stream.
    pub head: u64,
    /// Position of the oldest event that is kept; `head` + 1 when none is.
    #[schemars(range(min = 1))]
    pub oldest: u64,
    /// What is sent next.
    pub follows: Follows,
    /// Milliseconds between heartbeats.
    #[schemars(range(min = 1))]
    pub heartbeat_ms: u64,
    /// The server's clock when this was written.
    #[serde(with = "wire_time")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub server_time: Timestamp,
}

/// The events from `from` to `to` follow at once, both included (none when `from` = `to` + 1), then live ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Follows {
    /// No position was given: from the start of the oldest open incident, or only what is new; or `after=0`:
    /// everything that is kept.
    Started {
        /// First position.
        from: u64,
        /// Last position.
        to: u64,
    },
    /// Everything after the position that was given.
    Resumed {
        /// First position: the given one + 1.
        from: u64,
        /// Last position.
        to: u64,
    },
    /// The given position can't be resumed: the client misses events before `from`.
    Reset {
        /// Why.
        reason: ResetReason,
        /// First position.
        from: u64,
        /// Last position.
        to: u64,
    },
}

impl Follows {
    /// First and last position of what follows at once.
    pub fn range(&self) -> (u64, u64) {
        match *self {
            Self::Started { from, to } | Self::Resumed { from, to } | Self::Reset { from, to, .. } => {
                (from, to)
            }
        }
    }
}

/// Why a position can't be resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResetReason {
    /// It belongs to another stream: the journal was created anew. The client gets what a new client gets.
    OtherStream,
    /// Retention dropped events after it. The client gets everything from the oldest kept event on.
    Expired,
    /// It is beyond the head. The client gets what a new client gets.
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

/// Sent at a fixed interval to a client that is at the head. A client whose position is lower than `head` when it
/// reads a heartbeat has lost events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Heartbeat {
    /// The stream's name.
    pub stream: String,
    /// Position of the newest event.
    pub head: u64,
    /// Whether the server publishes events.
    pub state: ServerState,
    /// Why it does not, if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether the server publishes events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    /// Events are published when they are due.
    Playing,
    /// The journal takes no events; the heartbeat's `reason` says why.
    Paused,
}
