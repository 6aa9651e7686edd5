//! The newest frames, encoded, and the incidents that are open at the newest one.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::frame::Frame;
use crate::contract::Role;
use crate::journal::Stored;

/// The most frames that are kept.
pub(super) const KEEP: usize = 16_384;

/// The most bytes of frames that are kept.
const KEEP_BYTES: usize = 16 * 1024 * 1024;

/// Consecutive frames up to the head.
pub(super) struct Ring {
    /// Position of the oldest frame, or of the next one when the ring is empty.
    first: u64,
    frames: VecDeque<Frame>,
    bytes: usize,
    /// The start of each open incident by its name …
    open: HashMap<Arc<str>, u64>,
    /// … and the name by the start.
    starts: BTreeMap<u64, Arc<str>>,
}

impl Ring {
    /// An empty ring whose first frame will have position `first`.
    pub(super) fn new(first: u64, open: impl Iterator<Item = (String, u64)>) -> Self {
        let open: HashMap<Arc<str>, u64> = open.map(|(subject, start)| (subject.into(), start)).collect();
        let starts = open.iter().map(|(subject, start)| (*start, Arc::clone(subject))).collect();
        Self { first, frames: VecDeque::new(), bytes: 0, open, starts }
    }

    /// Position of the oldest frame.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Position of the newest frame.
    pub(super) fn head(&self) -> u64 {
        self.first + self.frames.len() as u64 - 1
    }

    /// The position at which a client without one begins: the start of the oldest open incident, or the next event.
    pub(super) fn newcomer_start(&self) -> u64 {
        self.starts.first_key_value().map_or(self.head() + 1, |(start, _)| *start)
    }

    /// Adds the next frame and drops the oldest ones over the limits.
    pub(super) fn push(&mut self, event: &Stored, frame: Frame) {
        debug_assert_eq!(event.position, self.head() + 1, "the ring has no gaps");
        match event.kind.role() {
            Role::Start => {
                self.open.insert(Arc::clone(&event.subject), event.position);
                self.starts.insert(event.position, Arc::clone(&event.subject));
            }
            Role::End => {
                if let Some(start) = self.open.remove(&event.subject) {
                    self.starts.remove(&start);
                }
            }
            Role::Middle | Role::Control => {}
        }
        self.bytes += frame.len();
        self.frames.push_back(frame);
        while self.frames.len() > KEEP || self.bytes > KEEP_BYTES {
            let Some(oldest) = self.frames.pop_front() else { break };
            self.bytes -= oldest.len();
            self.first += 1;
        }
    }

    /// The frames after `cursor`, at least one if there is any, up to about `max_bytes`. `None` if the ring no longer
    /// has the first of them.
    pub(super) fn after(&self, cursor: u64, max_bytes: usize) -> Option<Vec<Frame>> {
        let skip = (cursor + 1).checked_sub(self.first)? as usize;
        let mut bytes = 0;
        let frames = self.frames.iter().skip(skip).take_while(|frame| {
            let fits = bytes < max_bytes;
            bytes += frame.len();
            fits
        });
        Some(frames.cloned().collect())
    }
}
