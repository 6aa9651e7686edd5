//! The beginning of a client's stream: its greeting and the first events behind that, which go out in one write with the head of the
//! response. A client that comes back after a restart rarely misses more than that.

use bytes::Bytes;

use super::dialect::{Dialect, Joined};
use crate::contract::Position;
use crate::hub::{Hub, Opening};

/// Bytes of events that go out with the greeting: a new socket takes as many at once.
const EVENT_BYTES: usize = 16 * 1024;

/// What a new client is sent first.
pub struct Beginning {
    bytes: Bytes,
    /// Position of the last event in it.
    pub(super) cursor: u64,
    pub(super) events: u64,
    /// Bytes of those events, framing included.
    pub(super) event_bytes: usize,
}

impl Beginning {
    /// The greeting, and as much of what follows it as the hub has in memory and a new socket takes.
    pub fn new(hub: &Hub, dialect: Dialect, opening: Opening) -> Self {
        let Opening { frame, cursor } = opening;
        let after = Position { stream: hub.stream().clone(), n: cursor };
        let mut room = EVENT_BYTES;
        let mut frames = hub.after(cursor, EVENT_BYTES).unwrap_or_default();
        let fitting = frames.iter().take_while(|frame| {
            let left = room.checked_sub(frame.len());
            room = left.unwrap_or_default();
            left.is_some()
        });
        frames.truncate(fitting.count());
        let greeting = match dialect {
            Dialect::WebSocket => frame.bytes,
            Dialect::EventStream(transfer) => transfer.opening(&after, &frame),
        };
        if frames.is_empty() {
            return Self { bytes: greeting, cursor, events: 0, event_bytes: 0 };
        }
        let joined = Joined::new(dialect, &frames, &after);
        let (events, event_bytes) = (frames.len() as u64, joined.bytes().len());
        let bytes = [&greeting[..], joined.bytes()].concat().into();
        Self { bytes, cursor: cursor + events, events, event_bytes }
    }

    /// Its bytes, to be written behind the head of the response.
    pub fn take_bytes(&mut self) -> Bytes {
        std::mem::take(&mut self.bytes)
    }
}
