//! Control messages: they speak about the stream, come from a server and are not numbered.

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
    /// The position that was given can't be gone on from: events are missing before `from`.
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

/// Why a position can't be gone on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResetReason {
    /// It belongs to another stream: the log was made anew. What follows is what a newcomer gets.
    OtherStream,
    /// Events after it were dropped by retention. What follows begins with the oldest that is kept.
    Expired,
    /// It is beyond the head. What follows is what a newcomer gets.
    Ahead,
}

impl ResetReason {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        ["other-stream", "expired", "ahead"][self as usize]
    }
}

/// Sent at a fixed interval to a client that has been sent everything: a client that holds a lower position
/// than `head` when it reads one has lost a tail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Heartbeat {
    /// The stream's name.
    pub stream: String,
    /// Position of the newest event.
    pub head: u64,
    /// Whether the server goes on.
    pub state: ServerState,
    /// Why it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether incidents go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    /// Events are published when they are due.
    Playing,
    /// The journal does not take events; see the heartbeat's reason.
    Paused,
}
