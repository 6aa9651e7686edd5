//! How messages are framed for a client: as WebSocket frames, or as Server-Sent Events.

use std::cell::OnceCell;
use std::io::Write;

use bytes::Bytes;

use super::outgoing::Written;
use crate::contract::Position;
use crate::delivery::End;
use crate::hub::Frame;
use crate::metrics::Transport;
use crate::sse;

/// How a client is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Frames of RFC 6455.
    WebSocket,
    /// The lines of an event stream.
    EventStream(Transfer),
}

/// How the bytes of an HTTP response are delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// In chunks (RFC 9112, 7.1), one a message.
    Chunked,
    /// By the end of the connection, as in HTTP/1.0.
    Plain,
}

impl Dialect {
    /// The transport that its clients are counted under.
    pub(super) fn transport(self) -> Transport {
        match self {
            Self::WebSocket => Transport::WebSocket,
            Self::EventStream(_) => Transport::EventStream,
        }
    }

    /// Appends a message that is no event.
    pub(super) fn control(self, out: &mut Vec<u8>, frame: &Frame) {
        match self {
            Self::WebSocket => out.extend_from_slice(&frame.bytes),
            Self::EventStream(transfer) => {
                let mut block = Vec::with_capacity(frame.len() + 32);
                sse::message(&mut block, None, frame);
                transfer.add(out, &block);
            }
        }
    }
}

impl Transfer {
    /// The first block of a stream, as it follows the head of the response.
    pub(super) fn opening(self, after: &Position, opened: &Frame) -> Bytes {
        let mut out = Vec::new();
        self.add(&mut out, &sse::opening(after, opened));
        out.into()
    }

    /// The last line of a stream, a comment that people see and programs ignore, and the end of the response.
    pub(super) fn goodbye(self, out: &mut Vec<u8>, end: &End) {
        let mut line = Vec::new();
        sse::comment(&mut line, end);
        self.add(out, &line);
        if self == Self::Chunked {
            out.extend_from_slice(b"0\r\n\r\n");
        }
    }

    fn add(self, out: &mut Vec<u8>, piece: &[u8]) {
        if self == Self::Plain {
            return out.extend_from_slice(piece);
        }
        // Writing to a buffer in memory can't fail.
        let _ = write!(out, "{:x}\r\n", piece.len());
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
    }
}

/// Consecutive events joined into one piece.
pub(super) struct Joined {
    bytes: Bytes,
    /// The bytes of each event.
    lengths: Vec<usize>,
}

impl Joined {
    /// The events behind `after`.
    pub(super) fn new(dialect: Dialect, frames: &[Frame], after: &Position) -> Self {
        match dialect {
            Dialect::WebSocket => Self::frames(frames),
            Dialect::EventStream(transfer) => Self::events(transfer, frames, after.clone()),
        }
    }

    fn frames(frames: &[Frame]) -> Self {
        let lengths: Vec<usize> = frames.iter().map(Frame::len).collect();
        let bytes = match frames {
            [frame] => frame.bytes.clone(),
            _ => {
                let mut joined = Vec::with_capacity(lengths.iter().sum());
                for frame in frames {
                    joined.extend_from_slice(&frame.bytes);
                }
                joined.into()
            }
        };
        Self { bytes, lengths }
    }

    fn events(transfer: Transfer, frames: &[Frame], mut position: Position) -> Self {
        let (mut bytes, mut block, mut lengths) = (Vec::new(), Vec::new(), Vec::with_capacity(frames.len()));
        for frame in frames {
            position.n += 1;
            block.clear();
            sse::message(&mut block, Some(&position), frame);
            let before = bytes.len();
            transfer.add(&mut bytes, &block);
            lengths.push(bytes.len() - before);
        }
        Self { bytes: bytes.into(), lengths }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many events a write of so many bytes wrote in full or in part, and the unwritten rest of the last of them.
    pub(super) fn written(&self, bytes: usize) -> (Written, &[u8]) {
        let written = Written::of(self.lengths.iter().copied(), bytes);
        (written, &self.bytes[bytes..bytes + written.rest])
    }
}

/// New events for all clients that have everything before them, joined once for each dialect that a client speaks.
pub(super) struct Batch {
    frames: Vec<Frame>,
    after: Position,
    joined: [OnceCell<Joined>; 3],
}

impl Batch {
    /// The events behind `after`.
    pub(super) fn new(frames: Vec<Frame>, after: Position) -> Self {
        Self { frames, after, joined: Default::default() }
    }

    /// How many events it has.
    pub(super) fn events(&self) -> u64 {
        self.frames.len() as u64
    }

    pub(super) fn joined(&self, dialect: Dialect) -> &Joined {
        let place = match dialect {
            Dialect::WebSocket => 0,
            Dialect::EventStream(Transfer::Chunked) => 1,
            Dialect::EventStream(Transfer::Plain) => 2,
        };
        self.joined[place].get_or_init(|| Joined::new(dialect, &self.frames, &self.after))
    }
}
