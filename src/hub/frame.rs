//! WebSocket text frames from the server (RFC 6455, 5.2): unmasked, so the same bytes serve every client.

use bytes::{BufMut, Bytes, BytesMut};

/// FIN and the opcode of a text frame.
const FIN_TEXT: u8 = 0x81;

/// A whole text message in one frame, header included.
pub(super) fn text(payload: &str) -> Bytes {
    let length = payload.len();
    let mut frame = BytesMut::with_capacity(length + 10);
    frame.put_u8(FIN_TEXT);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => frame.put_u8(short),
        (_, Ok(medium)) => {
            frame.put_u8(126);
            frame.put_u16(medium);
        }
        _ => {
            frame.put_u8(127);
            frame.put_u64(length as u64);
        }
    }
    frame.put_slice(payload.as_bytes());
    frame.freeze()
}
