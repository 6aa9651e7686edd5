//! How a stream ends: the closing handshake of a WebSocket, or the last line of an event stream.

use std::time::Duration;

use socket2::SockRef;

use super::dialect::Dialect;
use super::outgoing::{Outgoing, Wrote};
use super::wire::Wire;
use crate::delivery::End;

/// How long the client has to close too.
pub(super) const CLOSING_HANDSHAKE: Duration = Duration::from_secs(1);

/// The send buffer of a slow client's socket is raised to this for the rest of a frame and the close frame.
const ROOM_TO_CLOSE: usize = 1024 * 1024;

/// Says why the stream ends, if the client is there to read it, and shuts the socket down for writing. Whether the client
/// is to be waited for.
pub(super) fn send_close(dialect: Dialect, outgoing: &mut Outgoing, wire: &mut Wire, end: &End) -> bool {
    let mut close = Vec::new();
    let reason = end.close_code();
    // A client that has closed its side after the request, as `nc -N` does, may still read.
    if reason.is_none() && *end != End::Left {
        return false;
    }
    match (dialect, reason) {
        (Dialect::WebSocket, Some((code, reason))) => close = frame(code, &reason),
        // The answer to the client's own close frame is queued already.
        (Dialect::WebSocket, None) => {}
        (Dialect::EventStream(transfer), _) => transfer.goodbye(&mut close, end),
    }
    // Nothing can interrupt an event: its rest goes into a send buffer that is enlarged for it.
    let _ = SockRef::from(&wire.tcp).set_send_buffer_size(ROOM_TO_CLOSE);
    outgoing.control().extend_from_slice(&close);
    // A client that reads sees the end of the stream, and closes.
    matches!(outgoing.flush(wire), Ok(Wrote::Everything)) && wire.shutdown().is_ok()
}

/// A close frame. Its reason has at most 123 bytes.
fn frame(code: u16, reason: &str) -> Vec<u8> {
    let reason: String = reason.chars().filter(char::is_ascii).take(123).collect();
    let mut frame = vec![0x88, 2 + reason.len() as u8];
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(reason.as_bytes());
    frame
}
