//! The closing handshake of a WebSocket.

use std::time::Duration;

use socket2::SockRef;

use super::outgoing::{Outgoing, Wrote};
use super::wire::Wire;
use crate::delivery::End;

/// How long the client has to answer a close frame.
pub(super) const CLOSING_HANDSHAKE: Duration = Duration::from_secs(1);

/// The send buffer of a slow client's socket is raised to this for the rest of a frame and the close frame.
const ROOM_TO_CLOSE: usize = 1024 * 1024;

/// Sends the close frame, if there is one to send, and shuts the socket down for writing. Whether the client's answer
/// is to be waited for.
pub(super) fn send_close(outgoing: &mut Outgoing, wire: &mut Wire, end: &End) -> bool {
    let close = match (end.close_code(), end) {
        (Some((code, reason)), _) => frame(code, &reason),
        // The answer to the client's own close frame is queued already.
        (None, End::Left) => Vec::new(),
        (None, _) => return false,
    };
    // A close frame can't interrupt another frame: the rest of that goes into a send buffer that is enlarged for it.
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
