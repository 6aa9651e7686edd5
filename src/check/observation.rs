//! What a validator observes on its connections, in the order in which it observes it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::context::MustResolve;

/// One observation: a line of a transcript.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// Line of the transcript or recording, from 1.
    pub line: usize,
    /// When, since the first connection was opened; `None` in a recording.
    pub at: Option<Duration>,
    /// The connection: [`MAIN`] is the one whose stream is judged. The others test it.
    pub connection: u32,
    /// What was observed.
    pub what: Observation,
}

/// The connection whose stream is judged.
pub const MAIN: u32 = 0;

/// What was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observation {
    /// The handshake succeeded.
    Opened(Purpose),
    /// The server refused the connection with this HTTP status.
    Refused(Purpose, u16),
    /// A text message.
    Text(String),
    /// An event of an event stream.
    Event(ServerEvent),
    /// A comment in an event stream: the server is alive.
    Comment(String),
    /// A binary message of this many bytes.
    Binary(usize),
    /// The server, or a fault, ended the connection.
    Closed(Closing),
    /// The validator stopped listening. These incidents must be resolved by then.
    Stopped(MustResolve),
}

/// An event of an event stream, as it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerEvent {
    /// The data.
    pub data: String,
    /// The id, if the event has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name, if the event has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a connection is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To follow the stream from where the server begins without a position, or from a given one.
    Follow,
    /// To get everything again after this position of the stream; with a profile, after so many events of the main
    /// connection.
    Resume(u64),
    /// To get the same stream at the same time as the main connection.
    Twin,
    /// To read nothing, so that the server has to make up its mind about a client that is stuck.
    Stalled,
    /// To ask for this position, which is not one of the stream.
    Position(String, Promise),
    /// To serve this purpose; but there was no connection, and the text says why.
    Failed(Box<Purpose>, String),
}

impl Purpose {
    /// The same purpose of a connection that could not be opened.
    #[must_use]
    pub fn failed(self, why: String) -> Self {
        Self::Failed(Box::new(self), why)
    }

    /// The purpose, and why the connection for it could not be opened.
    pub(super) fn split(self) -> (Self, Option<String>) {
        match self {
            Self::Failed(purpose, why) => (purpose.split().0, Some(why)),
            purpose => (purpose, None),
        }
    }
}

/// What the contract promises to a client that asks for a position from which the stream can't be resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// The status 400 instead of a handshake.
    BadRequest,
    /// A greeting with `reset`, and this reason.
    Reset(String),
}

/// How a connection ended before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// With a close frame: its code, if it has one, and its reason.
    Frame(Option<u16>, String),
    /// Without a close frame. The text says what the socket said.
    Lost(String),
    /// The server broke the protocol. The text says how.
    Protocol(String),
    /// What the server sent is no event stream. The text says why.
    Malformed(String),
    /// An event stream came to its end, perhaps in the middle of an event.
    Finished {
        /// Whether the last event was not complete.
        is_cut: bool,
    },
    /// The validator was interrupted while events came that the server had announced: what is missing is no fault.
    Left,
}
