//! Messages as Server-Sent Events: what the shards write to a client of `GET /events`, and what is written to one that can't
//! be served now.

mod lines;

use std::time::Duration;

use bytes::Bytes;

use crate::contract::Position;
use crate::hub::Frame;

pub use lines::{comment, message};

/// A browser that lost its connection waits at least this long before it reconnects, and at most three times as long.
pub const RETRY: Duration = Duration::from_secs(1);

/// The first block of a stream, with `stream_opened`; the events behind `after` follow.
pub fn opening(after: &Position, opened: &Frame) -> Vec<u8> {
    let mut block = Vec::with_capacity(opened.len() + 128);
    lines::retry(&mut block, spread(RETRY));
    // The position that the client sends if the connection is lost before the first event. Both stand in the block of
    // `stream_opened`: without data they would be an empty event for some clients.
    message(&mut block, Some(after), opened);
    block
}

/// The whole stream for a browser that can't be served now. An `EventSource` gives up for good on any status but 200: this
/// is answered with 200 and brings the browser back after `retry`, or up to three times as long.
pub fn come_back(retry: Duration, why: &str) -> Bytes {
    let mut piece = Vec::new();
    lines::retry(&mut piece, spread(retry));
    comment(&mut piece, &why);
    piece.into()
}

/// Drawn for each client, so that not all of them reconnect at once.
fn spread(retry: Duration) -> Duration {
    retry + 2 * retry.mul_f64(crate::random::unit())
}
