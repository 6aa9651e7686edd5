//! What goes out on a socket: the rest of one frame, what the protocol has to say, and frames of the hub.

use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::wire::Wire;

/// Consecutive frames in one piece, for everybody who has all that was before.
pub(super) struct Batch {
    bytes: Bytes,
    /// Where each frame ends.
    ends: Vec<usize>,
}

impl Batch {
    pub(super) fn join(mut frames: Vec<Bytes>) -> Self {
        let mut end = 0;
        let ends = frames.iter().map(|frame| {
            end += frame.len();
            end
        });
        let ends: Vec<usize> = ends.collect();
        let bytes = match frames.len() {
            1 => frames.swap_remove(0),
            _ => {
                let mut joined = Vec::with_capacity(end);
                for frame in &frames {
                    joined.extend_from_slice(frame);
                }
                joined.into()
            }
        };
        Self { bytes, ends }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many frames it has.
    pub(super) fn frames(&self) -> u64 {
        self.ends.len() as u64
    }

    /// After so many bytes were written: the frames of which something was, and the rest of the last of them.
    pub(super) fn written(&self, bytes: usize) -> (u64, Bytes) {
        let whole = self.ends.partition_point(|end| *end <= bytes);
        let start = if whole == 0 { 0 } else { self.ends[whole - 1] };
        if bytes == start {
            return (whole as u64, Bytes::new());
        }
        (whole as u64 + 1, self.bytes.slice(bytes..self.ends[whole]))
    }
}

/// A page from the journal that is being sent. It holds a place among the few that may be in memory.
pub(super) struct Page {
    frames: std::vec::IntoIter<Bytes>,
    _place: OwnedSemaphorePermit,
}

impl Page {
    pub(super) fn new(frames: Vec<Bytes>, place: OwnedSemaphorePermit) -> Self {
        Self { frames: frames.into_iter(), _place: place }
    }

    pub(super) fn left(&self) -> &[Bytes] {
        self.frames.as_slice()
    }

    /// Forgets the first ones.
    pub(super) fn skip(&mut self, frames: u64) {
        for _ in 0..frames {
            self.frames.next();
        }
    }
}

/// Half a frame, and what stands in line behind it.
#[derive(Default)]
pub(super) struct Outgoing {
    /// The other half of a frame.
    rest: Bytes,
    /// Pongs, pings, heartbeats, a close frame: whole frames.
    control: Vec<u8>,
}

/// How far a write came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrote {
    Everything,
    /// The socket is full.
    Blocked {
        /// It took something before.
        progress: bool,
    },
}

impl Outgoing {
    /// Nothing stands in line.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty() && self.control.is_empty()
    }

    /// The other half of a frame goes out before anything else. A copy: a slice would keep the whole block of frames that
    /// it was cut from.
    pub(super) fn keep(&mut self, rest: &[u8]) {
        debug_assert!(self.rest.is_empty(), "one half at a time");
        self.rest = Bytes::copy_from_slice(rest);
    }

    /// Whole frames that go out on the next border between two.
    pub(super) fn control(&mut self) -> &mut Vec<u8> {
        &mut self.control
    }

    /// Writes the half frame and what stands behind it.
    pub(super) fn flush(&mut self, wire: &mut Wire) -> std::io::Result<Wrote> {
        let before = wire.sent();
        loop {
            if self.rest.is_empty() {
                if self.control.is_empty() {
                    let through = wire.flush()?;
                    let progress = wire.sent() > before;
                    return Ok(if through { Wrote::Everything } else { Wrote::Blocked { progress } });
                }
                self.rest = std::mem::take(&mut self.control).into();
            }
            let written = wire.write(&self.rest)?;
            if written == 0 {
                return Ok(Wrote::Blocked { progress: wire.sent() > before });
            }
            self.rest = if written == self.rest.len() { Bytes::new() } else { self.rest.slice(written..) };
        }
    }
}

/// After so many bytes of these frames were written: the frames of which something was, and the rest of the last.
pub(super) fn written(frames: &[Bytes], bytes: usize) -> (u64, Bytes) {
    let mut left = bytes;
    for (place, frame) in (0..).zip(frames) {
        if left == 0 {
            return (place, Bytes::new());
        }
        if left < frame.len() {
            return (place + 1, frame.slice(left..));
        }
        left -= frame.len();
    }
    (frames.len() as u64, Bytes::new())
}
