//! What a [`Follower`](super::Follower) tells of a stream.

use std::time::Duration;

use crate::contract::{Envelope, Heartbeat, ResetReason, StreamOpened};

/// What happens on a stream.
#[derive(Debug)]
pub enum Item {
    /// The first connection is open.
    Opened(StreamOpened),
    /// The next event. Each event comes once.
    Event {
        /// The event; its payload is not parsed yet.
        envelope: Box<Envelope>,
        /// The text of the frame.
        raw: String,
    },
    /// The server is alive, and everything up to its head has arrived.
    Heartbeat(Heartbeat),
    /// The events from position `from` to `to` did not arrive.
    Gap {
        /// First missing position.
        from: u64,
        /// Last missing position.
        to: u64,
    },
    /// The connection ended.
    Lost {
        /// Why it ended.
        reason: String,
        /// The wait before the next attempt.
        retry_in: Duration,
        /// The server that is tried then.
        next: String,
    },
    /// The connection is back.
    Back {
        /// The server that it is with now.
        server: String,
        /// How long the client was disconnected.
        away: Duration,
        /// How many events are replayed …
        replayed: u64,
        /// … up to this position.
        to: u64,
        /// How many events are lost for good; `None` if the stream is another one, so that this can't be known.
        lost: Option<u64>,
        /// Why the stream could not be resumed after the last event.
        reset: Option<ResetReason>,
    },
    /// Something that is not an event.
    NotAnEvent(String),
}
