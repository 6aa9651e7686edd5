//! The rules `resume`, `fan-out` and `positions`: what further connections get while, or after, the first one is judged,
//! compared by position.

mod twins;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU64;

use super::answer;
use super::finding::{Finding, cut as shortened};
use super::frame::Frame;
use super::further::{Connection, Further};
use super::observation::Purpose;
use super::rules::{Found, RuleId};
use crate::contract::{Follows, ResetReason};

/// How many events of each connection are remembered for comparing: the last ones.
const REMEMBERED: usize = 200_000;

/// A hash of an event; `None` if a fault of it was reported, which may be why it differs.
type Digest = Option<NonZeroU64>;

/// What the connections got.
#[derive(Debug)]
pub(super) struct ByPosition {
    /// The events of the first connection.
    first: BTreeMap<u64, Digest>,
    /// The first position of the first connection that is remembered, if earlier ones are forgotten; else 0.
    first_from: u64,
    /// Positions that came twice or late on the first connection, which other rules report.
    disordered: BTreeSet<u64>,
    others: BTreeMap<u32, Got>,
    is_compared: bool,
    remembered: usize,
    /// Whether something was forgotten that other connections got too.
    is_partial: bool,
    /// The connections of which something was compared.
    compared: BTreeSet<u32>,
    /// The rules by which a connection was to be compared of which nothing can be.
    uncompared: Vec<RuleId>,
}

/// What a further connection got.
#[derive(Debug, Default)]
struct Got {
    /// The position that the first connection had reached when this one was opened.
    due: u64,
    /// The events that are remembered.
    events: VecDeque<(u64, Digest)>,
    /// How many events came.
    count: usize,
}

impl Got {
    /// The first position that can be compared: before it, events are forgotten.
    fn known_from(&self) -> u64 {
        let is_forgotten = self.count > self.events.len();
        self.events.front().filter(|_| is_forgotten).map_or(0, |(position, _)| *position)
    }
}

impl ByPosition {
    /// If `is_compared`, other connections will be compared with the first one.
    pub(super) fn new(is_compared: bool) -> Self {
        Self {
            first: BTreeMap::new(),
            first_from: 0,
            disordered: BTreeSet::new(),
            others: BTreeMap::new(),
            is_compared,
            remembered: REMEMBERED,
            is_partial: false,
            compared: BTreeSet::new(),
            uncompared: Vec::new(),
        }
    }

    /// Takes an event of the first connection.
    pub(super) fn see_first(&mut self, position: u64, frame: &Frame) {
        if !self.is_compared {
            return;
        }
        if self.first.last_key_value().is_some_and(|(last, _)| position <= *last) {
            self.disordered.insert(position);
            if self.disordered.len() > self.remembered {
                self.disordered.pop_first();
            }
        }
        self.first.insert(position, digest(frame));
        if self.first.len() > self.remembered {
            self.first.pop_first();
            self.first_from = self.first.first_key_value().map_or(0, |(first, _)| *first);
        }
    }

    /// An event came again on the first connection.
    pub(super) fn repeat_first(&mut self, position: u64) {
        if self.is_compared {
            self.disordered.insert(position);
        }
    }

    /// A position of the first connection turned out to be wrong.
    pub(super) fn forget_first(&mut self, position: u64) {
        self.first.remove(&position);
    }

    pub(super) fn open(&mut self, connection: u32) {
        let due = self.first.last_key_value().map_or(0, |(n, _)| *n);
        self.others.insert(connection, Got { due, ..Got::default() });
    }

    pub(super) fn see(&mut self, connection: u32, frame: &Frame) {
        let Some(got) = self.others.get_mut(&connection) else { return };
        if let Some(position) = frame.head.as_ref().and_then(|head| head.position) {
            got.count += 1;
            got.events.push_back((position, digest(frame)));
            if got.events.len() > self.remembered {
                got.events.pop_front();
                self.is_partial = true;
            }
        }
    }

    /// Whether a connection was to be compared by this rule of which nothing can be.
    pub(super) fn has_uncompared(&self, rule: RuleId) -> bool {
        self.uncompared.contains(&rule)
    }

    /// Whether there is something to compare in what a connection got: it was answered as it was to be, if nothing was to come.
    fn is_compared(&self, connection: &Connection, got: &Got) -> bool {
        if let Purpose::Position(..) = connection.purpose {
            // What was found about the answer is told by another rule.
            return !connection.has_faults;
        }
        let has_common = got.events.iter().any(|(position, _)| self.first.contains_key(position));
        let has_all = matches!(connection.purpose, Purpose::Resume(after) if after >= got.due)
            && connection.greeting().is_some();
        connection.is_comparable && (has_common || has_all)
    }

    pub(super) fn finish(&mut self, further: &Further, found: &mut Found) {
        let nothing = Got::default();
        for (number, connection) in further.iter() {
            let got = self.others.get(&number).unwrap_or(&nothing);
            let client = |what: String| format!("client {number} {what}");
            let (rule, wrong) = match &connection.purpose {
                Purpose::Resume(after) => (RuleId::Resume, self.resumed(*after, connection, got)),
                Purpose::Twin => (RuleId::FanOut, self.twin(connection, got).map(client)),
                // It need not get anything.
                Purpose::Stalled => match self.stalled(connection, got) {
                    Some(wrong) => {
                        (RuleId::FanOut, Some(format!("client {number}, which reads nothing, {wrong}")))
                    }
                    None => continue,
                },
                Purpose::Position(position, expected) => {
                    (RuleId::Positions, answer::wrong(position, expected, connection))
                }
                Purpose::Follow | Purpose::Failed(..) => continue,
            };
            if wrong.is_none() && !self.is_compared(connection, got) {
                self.uncompared.push(rule);
                continue;
            }
            self.compared.insert(number);
            found.judged(rule);
            if let Some(wrong) = wrong {
                found.add(rule, Finding::new(wrong));
            }
        }
    }

    /// Whether the first connection did not get this event, or could not read it, which other rules say; or it was so
    /// long ago that it is forgotten.
    fn lacks(&self, position: u64) -> bool {
        let is_within = self.first.last_key_value().is_some_and(|(last, _)| position < *last);
        is_within && !self.first.contains_key(&position)
    }

    /// What is wrong with a connection that resumed after a position.
    fn resumed(&self, after: u64, connection: &Connection, got: &Got) -> Option<String> {
        let cut = format!("after the cut at position {after},");
        if let Some(why) = &connection.failed {
            return Some(format!("{cut} the connection failed: {}", shortened(why)));
        }
        if let Some(status) = connection.refused {
            return Some(format!("{cut} the server refused to resume, with the HTTP status {status}"));
        }
        if !connection.is_comparable {
            return None;
        }
        let greeting = connection.greeting();
        let follows = greeting.map(|opened| &opened.follows);
        match follows {
            Some(Follows::Resumed { from, .. }) if *from != after.saturating_add(1) => {
                return Some(format!(
                    "{cut} stream_opened says that the events from {from} follow; expected from {}",
                    after.saturating_add(1)
                ));
            }
            Some(Follows::Reset { reason, .. }) if *reason != ResetReason::Expired => {
                return Some(format!(
                    "{cut} the server did not resume: it sent a reset, {}",
                    reason.as_str()
                ));
            }
            _ => {}
        }
        let from = self.first_from.max(got.known_from());
        let is_forgotten = from > after.saturating_add(1);
        let mut after = after.max(from.saturating_sub(1));
        // What was kept when the first connection got it may be gone now.
        if let (Some(Follows::Reset { reason: ResetReason::Expired, from, .. }), Some(greeting)) =
            (follows, greeting)
            && greeting.oldest > after.saturating_add(1)
            && *from >= greeting.oldest
        {
            after = from - 1;
        }
        let mut expected = self.first.range(after.saturating_add(1)..);
        let mut last = after;
        let forgotten = got.count - got.events.len();
        let events = got.events.iter().enumerate();
        for (place, (position, digest)) in
            events.skip_while(|(_, (position, _))| is_forgotten && *position <= after)
        {
            if *position > after && self.lacks(*position) {
                last = *position;
                continue;
            }
            match expected.next() {
                // The stream went on meanwhile.
                None if *position > got.due && *position == last + 1 => {}
                Some((n, same)) if n == position && agree(*same, *digest) => {}
                Some((n, _)) if n == position => {
                    return Some(format!("{cut} the server sent position {position} with another content"));
                }
                Some((n, _)) => {
                    return Some(format!(
                        "{cut} the server sent position {position} as number {}; expected {n}",
                        forgotten + place + 1
                    ));
                }
                None => {
                    return Some(format!(
                        "{cut} the server sent position {position}, which it had not sent before"
                    ));
                }
            }
            last = *position;
        }
        if connection.is_cut {
            return None;
        }
        let lost = expected.take_while(|(n, _)| **n <= got.due).count();
        let events = if lost == 1 { "event is" } else { "events are" };
        (lost > 0).then(|| format!("{cut} {lost} {events} missing"))
    }

    pub(super) fn resume_summary(&self, further: &Further) -> String {
        let mut cuts = Vec::new();
        let mut events = 0;
        for (number, connection) in further.iter() {
            if let Purpose::Resume(after) = connection.purpose
                && self.compared.contains(&number)
            {
                cuts.push(after.to_string());
                events += self.others.get(&number).map_or(0, |got| got.count);
            }
        }
        let last = cuts.pop().unwrap_or_default();
        let cuts = if cuts.is_empty() { last } else { format!("{} and {last}", cuts.join(", ")) };
        format!("cut at position {cuts}: {events} events replayed, none lost")
    }

    pub(super) fn fan_out_summary(&self, further: &Further, twins: u64) -> String {
        let same = if self.is_partial {
            format!("the same last {} events", self.remembered)
        } else {
            "the same events".to_owned()
        };
        format!("{} clients got {same}{}", twins + 1, further.stalled_in_words())
    }
}

fn digest(frame: &Frame) -> Digest {
    if frame.is_faulty { None } else { Some(NonZeroU64::new(frame.digest).unwrap_or(NonZeroU64::MIN)) }
}

/// Whether two events are the same, as far as no fault makes them differ.
fn agree(one: Digest, other: Digest) -> bool {
    one == other || one.is_none() || other.is_none()
}

#[cfg(test)]
mod tests {
    use super::super::reader::Reader;
    use super::*;

    /// A stream of which more is sent than is remembered.
    fn long(remembered: usize, twin_lacks: Option<u64>, resume_lacks: Option<u64>) -> Vec<Option<String>> {
        let mut got = ByPosition { remembered, ..ByPosition::new(true) };
        let mut further = Further::default();
        let reader = Reader::new();
        let sound = |n: u64| {
            let text = format!(
                r#"{{"specversion":"1.0","id":"{n}","source":"/streams/S","type":"x","time":"2026-11-22T10:00:00Z"}}"#
            );
            reader.read(1, None, &text)
        };
        let see = |further: &mut Further, got: &mut ByPosition, connection, n| {
            let mut frame = sound(n);
            further.see(connection, &mut frame, true);
            got.see(connection, &frame);
        };
        further.open(1, Purpose::Twin, None);
        got.open(1);
        for n in 1..=26 {
            got.see_first(n, &sound(n));
            if Some(n) != twin_lacks {
                see(&mut further, &mut got, 1, n);
            }
        }
        for (connection, after) in [(2, 0), (3, 20)] {
            further.open(connection, Purpose::Resume(after), None);
            got.open(connection);
            for n in (after + 1..=26).filter(|n| Some(*n) != resume_lacks) {
                see(&mut further, &mut got, connection, n);
            }
        }
        let connections: Vec<&Connection> = further.iter().map(|(_, connection)| connection).collect();
        vec![
            got.twin(connections[0], &got.others[&1]),
            got.resumed(0, connections[1], &got.others[&2]),
            got.resumed(20, connections[2], &got.others[&3]),
        ]
    }

    #[test]
    fn what_both_sides_remember_is_compared() {
        for remembered in [5, 10, 20, 26, 100] {
            assert_eq!(long(remembered, None, None), [None, None, None], "{remembered}");
        }
        let found = long(10, Some(24), Some(24));
        assert!(found.iter().all(Option::is_some), "{found:?}");
        assert_eq!(long(10, Some(3), Some(3)), [None, None, None], "it is forgotten");
    }
}
