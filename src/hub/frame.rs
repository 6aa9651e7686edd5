//! WebSocket text frames from the server (RFC 6455, 5.2): unmasked, so the same bytes serve every client.

use bytes::Bytes;

/// FIN and the opcode of a text frame.
const FIN_TEXT: u8 = 0x81;

/// Room for the header that almost every frame has: its length in two bytes.
const USUAL: usize = 4;

/// Consecutive frames in one piece of memory.
#[derive(Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    /// Where each frame ends.
    ends: Vec<usize>,
}

impl Block {
    pub(super) fn with_capacity(frames: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(frames) }
    }

    /// Adds a whole text message in one frame: `payload` writes it behind what is there.
    pub(super) fn push(&mut self, payload: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; USUAL]);
        payload(&mut self.bytes);
        let length = self.bytes.len() - start - USUAL;
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
        self.bytes.splice(start..start + USUAL, header.iter().copied());
        self.ends.push(self.bytes.len());
    }

    /// The frames, which share the memory.
    pub(super) fn frames(self) -> Vec<Bytes> {
        let bytes = Bytes::from(self.bytes);
        let mut start = 0;
        let frames = self.ends.into_iter().map(|end| bytes.slice(std::mem::replace(&mut start, end)..end));
        frames.collect()
    }
}

/// One frame.
pub(super) fn single(payload: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut block = Block::with_capacity(1, 512);
    block.push(payload);
    Bytes::from(block.bytes)
}

/// The text of a frame that was made here.
pub fn text(frame: &[u8]) -> &[u8] {
    let header = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    };
    frame.get(header..).unwrap_or_default()
}
