//! The rules `order`, `gap` and `duplicate`: the positions of a stream. The indexes of an incident are judged with it, in
//! `indexes.rs`.

use std::collections::{BTreeMap, VecDeque};

use super::finding::{Finding, Place};
use super::followed::MOST_STREAMS;
use super::frame::Frame;
use super::rules::{Found, RuleId};
use super::spans::Spans;

/// How many holes are remembered until the end, in case that their events come late; and how many announcements.
const HOLES: usize = 1_000;

/// How many ranges of positions are remembered. A stream has one, and one more for each hole.
const RANGES: usize = 50_000;

/// What the position of an event says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It follows the event before it, or is the first.
    Next,
    /// Events before it are missing.
    AfterGap,
    /// It arrives after events that follow it.
    Late,
    /// It was there before.
    Repeated,
    /// It follows the event before it, but it has the position of another one, which is reported.
    Misnumbered,
}

/// The positions of all streams that were seen on a connection.
#[derive(Debug)]
pub(super) struct Numbering {
    /// What a number is called.
    word: &'static str,
    /// Whether numbers may be left out.
    allows_gaps: bool,
    streams: BTreeMap<String, Positions>,
    /// Messages that could not be read at all since the last event: each may have been the event that is missing.
    unreadable: u64,
    /// How many of them came where a position is missing before the last event.
    pub(super) excused: u64,
    /// A number that turned out to be wrong.
    pub(super) corrected: Option<u64>,
}

/// The positions of one stream.
#[derive(Debug, Default)]
pub(super) struct Positions {
    seen: Spans,
    /// The position that arrived last.
    arrived: u64,
    /// The holes, each with the frame after it.
    holes: Vec<(u64, u64, Place)>,
    /// The last number, if it jumped: the next event shows whether events are missing or only this number is wrong.
    jump: Option<Jump>,
    /// What greetings announced: first and last position, and the greeting's place. A recording has many connections in it.
    announced: VecDeque<(u64, u64, Place)>,
    /// Positions up to here are known to be lost, or are excused by a message that could not be read.
    excused: Spans,
    /// Whether its first number was compared with another one.
    is_compared: bool,
}

#[derive(Debug)]
struct Jump {
    expected: u64,
    number: u64,
    /// The index of the event.
    index: Option<u64>,
}

impl Positions {
    /// The highest position that arrived; 0 before the first.
    fn last(&self) -> u64 {
        self.seen.last().unwrap_or(0)
    }

    /// Notes what another number is compared with: the first one with what was announced, if anything was. A stream with a single
    /// number can't break the other rules.
    fn compare(&mut self, allows_gaps: bool, found: &mut Found) {
        let is_first = self.seen.first().is_none();
        if !allows_gaps && is_first && !self.announced.is_empty() {
            found.judged(RuleId::Gap);
        }
        if is_first {
            return;
        }
        let times = if std::mem::replace(&mut self.is_compared, true) { 1 } else { 2 };
        for _ in 0..times {
            found.judged(RuleId::Order);
            found.judged(RuleId::Duplicate);
        }
        if !allows_gaps {
            let was_announced = times == 2 && !self.announced.is_empty();
            (usize::from(was_announced)..times).for_each(|_| found.judged(RuleId::Gap));
        }
    }

    /// The highest position that arrived, or that is known to be lost.
    pub(super) fn heard(&self) -> u64 {
        self.last().max(self.excused.last().unwrap_or(0))
    }

    /// Whether positions are missing.
    pub(super) fn has_holes(&self) -> bool {
        !self.holes.is_empty() || self.excused.first().is_some()
    }

    /// The first position that should have arrived: the announced one, else the first that did.
    pub(super) fn first(&self) -> Option<u64> {
        let announced = self.announced.front().map(|(from, ..)| *from);
        announced.into_iter().chain(self.seen.first()).min()
    }
}

impl Default for Numbering {
    fn default() -> Self {
        Self::new("position", false)
    }
}

impl Numbering {
    /// Numbers that are called `word`, and may leave numbers out if `allows_gaps`.
    pub(super) fn new(word: &'static str, allows_gaps: bool) -> Self {
        Self { word, allows_gaps, streams: BTreeMap::new(), unreadable: 0, excused: 0, corrected: None }
    }

    /// How many streams are known.
    pub(super) fn streams(&self) -> usize {
        self.streams.len()
    }

    pub(super) fn stream(&self, name: &str) -> Option<&Positions> {
        self.streams.get(name)
    }

    /// A message arrived that could not be read.
    pub(super) fn lose_one(&mut self) {
        self.unreadable += 1;
    }

    /// A greeting announces which positions follow.
    pub(super) fn announce(&mut self, stream: &str, (from, to): (u64, u64), frame: &Frame) {
        if !self.streams.contains_key(stream) && self.streams.len() >= MOST_STREAMS {
            return;
        }
        let positions = self.streams.entry(stream.to_owned()).or_default();
        positions.announced.push_back((from, to, frame.place()));
        // The second one was over long ago. The first one says where the stream began.
        if positions.announced.len() > HOLES {
            positions.announced.remove(1);
        }
    }

    /// Whether messages that could not be read explain that so many events are missing now.
    pub(super) fn explains(&mut self, missing: u64) -> bool {
        let explains = missing <= self.unreadable;
        if explains {
            self.unreadable -= missing;
        }
        explains
    }

    /// How many messages could not be read since the last event.
    pub(super) fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Somebody else said that everything up to `head` is lost. It is not reported again.
    pub(super) fn excuse(&mut self, stream: &str, from: u64, head: u64) {
        let positions = self.streams.entry(stream.to_owned()).or_default();
        for n in (from..=head).take(HOLES) {
            positions.excused.add(n);
        }
    }

    /// Takes the number of an event. If `is_new`, its index says that it was not there before.
    pub(super) fn see(
        &mut self,
        stream: &str,
        n: u64,
        is_new: bool,
        frame: &Frame,
        found: &mut Found,
    ) -> Standing {
        let unreadable = std::mem::take(&mut self.unreadable);
        (self.excused, self.corrected) = (0, None);
        if !self.streams.contains_key(stream) {
            self.streams.insert(stream.to_owned(), Positions::default());
        }
        // Inserted above if it was not there.
        let Some(positions) = self.streams.get_mut(stream) else { return Standing::Next };
        // If numbers may be left out, each is a range.
        positions.seen.forget(if self.allows_gaps { HOLES } else { RANGES });
        positions.excused.forget(RANGES);
        positions.compare(self.allows_gaps, found);
        let word = self.word;
        let index = frame.head.as_ref().and_then(|head| head.index);
        if let Some(Jump { expected, number: wrong, index: last }) = positions.jump.take()
            && n == expected + 1
            // Events that come backwards have falling indexes.
            && index >= last
            && let Some((_, _, place)) = positions.holes.pop()
        {
            let text = format!("the {word} is {wrong}; expected {expected}");
            found.add(RuleId::Order, Finding::new(text).place(&place));
            self.corrected = Some(wrong);
            positions.seen.remove(wrong);
            positions.seen.add(expected);
            positions.seen.add(n);
            positions.arrived = n;
            return Standing::Next;
        }
        let before = positions.last();
        let first = positions.seen.first().is_none();
        if !positions.seen.add(n) {
            if is_new && n <= before {
                let expected = before + 1;
                let text = format!("the {word} is {n}, which came before; expected {expected}");
                found.add(RuleId::Order, Finding::new(text).at(frame).field("/id"));
                positions.seen.add(expected);
                positions.arrived = expected;
                return Standing::Misnumbered;
            }
            found.add(RuleId::Duplicate, Finding::new(format!("{word} {n} arrived twice")).at(frame));
            return Standing::Repeated;
        }
        let arrived = std::mem::replace(&mut positions.arrived, n);
        if n < before {
            if n < arrived {
                let message = format!("{word} {n} comes after {arrived}; {word}s rise");
                found.add(RuleId::Order, Finding::new(message).at(frame));
            }
            return Standing::Late;
        }
        let follows = match positions.announced.back() {
            Some((from, ..)) if first => *from,
            _ if first => n,
            _ => before + 1,
        };
        if n <= follows || self.allows_gaps {
            return Standing::Next;
        }
        if n - follows <= unreadable {
            self.excused = n - follows;
            for lost in follows..n {
                positions.excused.add(lost);
            }
        } else if positions.holes.len() < HOLES {
            positions.holes.push((follows, n - 1, frame.place()));
            positions.jump = Some(Jump { expected: follows, number: n, index });
        } else {
            found.add(RuleId::Gap, Finding::new(missing(word, follows, n - 1)).at(frame));
        }
        Standing::AfterGap
    }

    /// Judges what is missing at the end. If the connection was cut, the end of an announced replay is not.
    pub(super) fn finish(&self, is_cut: bool, found: &mut Found) {
        for positions in self.streams.values() {
            let is_missing = |from, to| {
                let missing = positions.seen.missing(from, to).into_iter();
                missing.flat_map(|(from, to)| positions.excused.missing(from, to))
            };
            for (from, to, place) in &positions.holes {
                for (from, to) in is_missing(*from, *to) {
                    let finding = Finding::new(missing(self.word, from, to)).place(place);
                    let announced = positions
                        .announced
                        .iter()
                        .find(|(first, ..)| *first == from && self.word == "position");
                    found.add(
                        RuleId::Gap,
                        match announced {
                            Some((first, ..)) => {
                                finding.hint(format!("stream_opened announced that position {first} follows"))
                            }
                            None => finding,
                        },
                    );
                }
            }
            for (from, to, place) in positions.announced.iter().filter(|(from, to, _)| from <= to && !is_cut)
            {
                found.judged(RuleId::Gap);
                let last = positions.last();
                for (first, last) in is_missing((*from).max(last + 1), *to) {
                    let finding = Finding::new(missing(self.word, first, last)).place(place);
                    found.add(RuleId::Gap, finding.hint(format!("stream_opened announced {from} to {to}")));
                }
            }
        }
    }

    /// `1..111, 5..20`: the positions of each stream, of the first ones if there are many.
    pub(super) fn ranges(&self) -> String {
        let ranges = self
            .streams
            .values()
            .filter_map(|positions| Some(format!("{}..{}", positions.seen.first()?, positions.seen.last()?)));
        // There may be a stream for each user or order.
        let mut shown: Vec<String> = ranges.clone().take(3).collect();
        let more = ranges.skip(3).count();
        if more > 0 {
            shown.push(format!("… ({more} more)"));
        }
        shown.join(", ")
    }
}

pub(super) fn missing(what: &str, from: u64, to: u64) -> String {
    match (from == to, what) {
        (true, _) => format!("{what} {from} is missing"),
        (false, "index") => format!("the indexes {from} to {to} are missing"),
        (false, _) => format!("{what}s {from} to {to} are missing"),
    }
}
