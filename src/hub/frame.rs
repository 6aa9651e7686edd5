//! WebSocket text frames as a server sends them (RFC 6455, 5.2): unmasked, so the same bytes serve every client.

use bytes::Bytes;

use crate::contract::MessageType;

/// FIN and the opcode of a text frame.
const FIN_TEXT: u8 = 0x81;

/// Room for the header that almost every frame has: its length in two bytes.
const USUAL_HEADER: usize = 4;

/// One message, encoded once for all clients.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The whole frame, header included.
    pub bytes: Bytes,
    /// The message's type.
    pub kind: MessageType,
    /// Where the JSON text begins in `bytes`: behind the header, which has 2, 4 or 10 bytes.
    text: u8,
}

impl Frame {
    /// A message alone, of which `payload` writes the JSON text.
    pub(super) fn single(kind: MessageType, payload: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = Vec::with_capacity(512);
        let text = append(&mut bytes, payload);
        Self { bytes: bytes.into(), kind, text }
    }

    /// The JSON text.
    pub fn text(&self) -> &[u8] {
        self.bytes.get(self.text.into()..).unwrap_or_default()
    }

    /// The bytes of the whole frame.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Never: a frame has a header.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Consecutive frames in one allocation.
#[derive(Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    frames: Vec<Pending>,
}

/// A frame of a block.
struct Pending {
    kind: MessageType,
    text: u8,
    /// Where it ends in the block.
    end: usize,
}

impl Block {
    pub(super) fn with_capacity(frames: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), frames: Vec::with_capacity(frames) }
    }

    /// Adds a message, of which `payload` appends the JSON text.
    pub(super) fn push(&mut self, kind: MessageType, payload: impl FnOnce(&mut Vec<u8>)) {
        let text = append(&mut self.bytes, payload);
        self.frames.push(Pending { kind, text, end: self.bytes.len() });
    }

    /// The frames, which share the allocation.
    pub(super) fn frames(self) -> Vec<Frame> {
        let bytes = Bytes::from(self.bytes);
        let mut start = 0;
        let frames = self.frames.into_iter().map(|Pending { kind, text, end }| {
            let bytes = bytes.slice(std::mem::replace(&mut start, end)..end);
            Frame { bytes, kind, text }
        });
        frames.collect()
    }
}

/// Appends a text message in one frame and returns the length of its header.
fn append(bytes: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) -> u8 {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; USUAL_HEADER]);
    payload(bytes);
    let length = bytes.len() - start - USUAL_HEADER;
    let mut header = [FIN_TEXT, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let header = match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => {
            header[1] = short;
            &header[..2]
        }
        (_, Ok(medium)) => {
            header[1] = 126;
            header[2..4].copy_from_slice(&medium.to_be_bytes());
            &header[..4]
        }
        _ => {
            header[1] = 127;
            header[2..].copy_from_slice(&(length as u64).to_be_bytes());
            &header[..]
        }
    };
    bytes.splice(start..start + USUAL_HEADER, header.iter().copied());
    header.len() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_begins_behind_the_header() {
        let mut block = Block::default();
        let lengths = [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)];
        for (length, _) in lengths {
            block.push(MessageType::AgentAction, |bytes| bytes.extend(std::iter::repeat_n(b'x', length)));
        }
        for (frame, (length, header)) in block.frames().iter().zip(lengths) {
            assert_eq!((frame.len(), frame.text().len()), (header + length, length));
            assert!(frame.text().iter().all(|byte| *byte == b'x'));
        }
        let single = Frame::single(MessageType::Heartbeat, |bytes| bytes.extend_from_slice(b"{}"));
        assert_eq!((single.text(), single.kind), (&b"{}"[..], MessageType::Heartbeat));
    }
}
