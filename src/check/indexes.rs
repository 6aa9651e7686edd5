//! The indexes of one incident, for the rules `order`, `gap` and `duplicate`.

use super::finding::{Finding, Place};
use super::frame::Frame;
use super::numbering::{Standing, missing};
use super::rules::{Found, RuleId};
use super::spans::Spans;

/// How many ranges of indexes are remembered. An incident has one, and one more for each gap.
const RANGES: usize = 100;

/// The indexes of one incident.
#[derive(Debug, Default)]
pub(super) struct Indexes {
    seen: Spans,
    last: u64,
    /// An index that jumped, until the next event shows whether events are missing or only this index is wrong.
    jump: Option<Jump>,
    /// Events whose index is unknown or wrong since the last good one: each explains one missing index.
    unplaced: u64,
    /// The wrong index of the first event, which the next index may follow.
    start: Option<u64>,
}

#[derive(Debug)]
struct Jump {
    expected: u64,
    index: u64,
    place: Place,
}

/// What the index of an event says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IndexStanding {
    /// It follows the event before it.
    Next,
    /// Events before it are missing, so what was counted until now is not everything.
    AfterGap,
    /// Its index is not its own. Nothing can be said about its content.
    Wrong,
}

impl Indexes {
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn is_empty(&self) -> bool {
        self.last == 0
    }

    /// An event of the incident arrived whose index is not known.
    pub(super) fn unplaced(&mut self) {
        self.unplaced += 1;
    }

    /// Whether such an event came after the last good one.
    pub(super) fn has_unplaced(&self) -> bool {
        self.unplaced > 0
    }

    /// Takes the first event that arrived of the incident.
    pub(super) fn begin(&mut self, index: u64) {
        self.seen.add(index);
        self.last = index;
    }

    /// Takes the event that must have index 1.
    pub(super) fn start(&mut self, index: u64) {
        self.begin(1);
        self.start = Some(index).filter(|index| *index != 1);
    }

    pub(super) fn see(
        &mut self,
        id: &str,
        index: u64,
        standing: Standing,
        frame: &Frame,
        found: &mut Found,
    ) -> IndexStanding {
        if let Some(start) = self.start.take()
            && index == start + 1
        {
            self.begin(index);
            return IndexStanding::Next;
        }
        let unplaced = std::mem::take(&mut self.unplaced);
        if let Some(jump) = self.jump.take() {
            if index == jump.expected + 1 {
                let message = format!("the index of {id} is {}; expected {}", jump.index, jump.expected);
                found.add(RuleId::Order, Finding::new(message).place(&jump.place).field("/index"));
                self.seen.add(jump.expected);
                self.seen.add(index);
                self.last = index;
                return IndexStanding::Next;
            }
            self.seen.add(jump.index);
            self.last = jump.index;
            if index == jump.expected {
                self.seen.add(index);
                self.late(id, index, frame, found);
                if jump.index > index + 1 {
                    self.jump = Some(Jump { expected: index + 1, ..jump });
                }
                return IndexStanding::Wrong;
            }
            Self::report(id, &jump, found);
        }
        self.seen.forget(RANGES);
        let expected = self.last + 1;
        let jumps = standing == Standing::Next && index > expected && index - expected > unplaced;
        if jumps && !self.seen.contains(index) {
            self.jump = Some(Jump { expected, index, place: frame.place() });
            return IndexStanding::AfterGap;
        }
        if !self.seen.add(index) {
            if standing != Standing::Late {
                let message = format!("index {index} of {id} arrived twice");
                found.add(RuleId::Duplicate, Finding::new(message).at(frame).field("/index"));
                self.unplaced = 1;
            }
            return IndexStanding::Wrong;
        }
        if standing == Standing::Late {
            return IndexStanding::Wrong;
        }
        if index < expected {
            self.late(id, index, frame, found);
            self.unplaced = 1;
            return IndexStanding::Wrong;
        }
        self.last = index;
        if index == expected { IndexStanding::Next } else { IndexStanding::AfterGap }
    }

    fn late(&self, id: &str, index: u64, frame: &Frame, found: &mut Found) {
        let message =
            format!("index {index} of {id} comes after {}; the index rises with the position", self.last);
        found.add(RuleId::Order, Finding::new(message).at(frame).field("/index"));
    }

    fn report(id: &str, jump: &Jump, found: &mut Found) {
        let message = format!("{id}: {}", missing("index", jump.expected, jump.index - 1));
        found.add(RuleId::Gap, Finding::new(message).place(&jump.place).field("/index"));
    }

    pub(super) fn finish(&mut self, id: &str, found: &mut Found) {
        if let Some(jump) = self.jump.take() {
            Self::report(id, &jump, found);
        }
    }
}
