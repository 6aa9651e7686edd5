//! What goes out on a socket: the rest of one frame, control frames, and frames of the hub.

use bytes::Bytes;

use super::wire::Wire;
use crate::hub::{Frame, PagePermit};

/// How far a write of consecutive frames came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// Frames that were written in full or in part.
    pub(super) frames: u64,
    /// Bytes of the last of them that were not written.
    pub(super) rest: usize,
}

impl Written {
    pub(super) fn of(lengths: impl IntoIterator<Item = usize>, bytes: usize) -> Self {
        let (mut frames, mut end) = (0, 0);
        for length in lengths {
            if end >= bytes {
                break;
            }
            end += length;
            frames += 1;
        }
        Self { frames, rest: end.saturating_sub(bytes) }
    }

    /// As [`Joined::written`](super::dialect::Joined::written), for frames that are not joined.
    pub(super) fn of_frames(frames: &[Frame], bytes: usize) -> (Self, &[u8]) {
        let written = Self::of(frames.iter().map(Frame::len), bytes);
        let last = frames[..written.frames as usize].last();
        let rest = last.map_or(&[][..], |last| &last.bytes[last.len() - written.rest..]);
        (written, rest)
    }
}

/// A page from the journal that is being sent. It holds one of the few permits for pages in memory.
pub(super) struct Page {
    frames: std::vec::IntoIter<Frame>,
    _permit: PagePermit,
}

impl Page {
    pub(super) fn new(frames: Vec<Frame>, permit: PagePermit) -> Self {
        Self { frames: frames.into_iter(), _permit: permit }
    }

    /// The frames that were not sent yet.
    pub(super) fn left(&self) -> &[Frame] {
        self.frames.as_slice()
    }

    /// Drops the first ones.
    pub(super) fn skip(&mut self, frames: u64) {
        for _ in 0..frames {
            self.frames.next();
        }
    }
}

/// The rest of an event, and the messages that are queued behind it.
#[derive(Default)]
pub(super) struct Outgoing {
    rest: Bytes,
    /// Whole messages: pongs, pings, heartbeats, the end of the stream.
    control: Vec<u8>,
}

/// Whether everything was written.
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
    /// Nothing is queued.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty() && self.control.is_empty()
    }

    /// Sends the rest of a frame before anything else. A copy: a slice would keep the whole block of frames in memory.
    pub(super) fn keep(&mut self, rest: &[u8]) {
        debug_assert!(self.rest.is_empty(), "one frame at a time");
        self.rest = Bytes::copy_from_slice(rest);
    }

    /// The queue of whole frames that go out on the next border between two frames.
    pub(super) fn control(&mut self) -> &mut Vec<u8> {
        &mut self.control
    }

    /// Writes the rest of the frame and the queue.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_was_written_in_part_counts_and_leaves_its_rest() {
        let written = |bytes| {
            let Written { frames, rest } = Written::of([3, 5, 2], bytes);
            (frames, rest)
        };
        assert_eq!(
            [0, 1, 3, 4, 8, 9, 10].map(written),
            [(0, 0), (1, 2), (1, 0), (2, 4), (2, 0), (3, 1), (3, 0)]
        );
    }
}
