//! The rules `resume`, `fan-out` and `positions`: what further connections get while, or after, the main one is judged.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::finding::{Finding, cut as shortened, quoted};
use super::frame::Frame;
use super::observation::{Expectation, Purpose};
use super::rules::{Found, RuleId};
use crate::contract::{Follows, Message, ResetReason};

/// How many events of each connection are remembered for comparing: the last ones.
const REMEMBERED: usize = 200_000;

/// The further connections, and what they are compared with.
#[derive(Debug)]
pub(super) struct Probes {
    /// A hash of each event of the main connection.
    main: BTreeMap<u64, u64>,
    /// The first position of the main connection that is remembered, if earlier ones are forgotten; else 0.
    main_from: u64,
    /// Positions that came twice or late on the main connection, which other rules report.
    disordered: BTreeSet<u64>,
    others: BTreeMap<u32, Probe>,
    is_compared: bool,
    remembered: usize,
}

#[derive(Debug)]
struct Probe {
    purpose: Purpose,
    /// The position that the main connection had reached when this one was opened.
    due: u64,
    refused: Option<u16>,
    /// Why there was no connection.
    failed: Option<String>,
    /// Whether any message came.
    has_messages: bool,
    follows: Option<Follows>,
    /// The oldest position that the greeting says is kept.
    oldest: u64,
    /// The events that are remembered, each with its hash.
    events: VecDeque<(u64, u64)>,
    /// How many events came.
    count: usize,
}

impl Probe {
    /// The first position that can be compared: before it, events are forgotten.
    fn known_from(&self) -> u64 {
        let is_forgotten = self.count > self.events.len();
        self.events.front().filter(|_| is_forgotten).map_or(0, |(position, _)| *position)
    }
}

impl Probes {
    /// If `is_compared`, other connections will be compared with the main one.
    pub(super) fn new(is_compared: bool) -> Self {
        Self {
            main: BTreeMap::new(),
            main_from: 0,
            disordered: BTreeSet::new(),
            others: BTreeMap::new(),
            is_compared,
            remembered: REMEMBERED,
        }
    }

    /// Takes an event of the main connection.
    pub(super) fn see_main(&mut self, position: u64, frame: &Frame) {
        if !self.is_compared {
            return;
        }
        if self.main.last_key_value().is_some_and(|(last, _)| position <= *last) {
            self.disordered.insert(position);
            if self.disordered.len() > self.remembered {
                self.disordered.pop_first();
            }
        }
        self.main.insert(position, frame.digest);
        if self.main.len() > self.remembered {
            self.main.pop_first();
            self.main_from = self.main.first_key_value().map_or(0, |(first, _)| *first);
        }
    }

    pub(super) fn open(&mut self, connection: u32, purpose: Purpose, refused: Option<u16>) {
        let due = self.main.last_key_value().map_or(0, |(n, _)| *n);
        let (purpose, failed) = purpose.split();
        let probe = Probe {
            purpose,
            due,
            refused,
            failed,
            has_messages: false,
            follows: None,
            oldest: 0,
            events: VecDeque::new(),
            count: 0,
        };
        self.others.insert(connection, probe);
    }

    pub(super) fn see(&mut self, connection: u32, frame: &Frame) {
        let Some(probe) = self.others.get_mut(&connection) else { return };
        probe.has_messages = true;
        if let (Some(Message::StreamOpened(opened)), None) = (&frame.message, &probe.follows) {
            probe.follows = Some(opened.follows.clone());
            probe.oldest = opened.oldest;
        }
        let position = frame.head.as_ref().and_then(|head| head.position);
        if let Some(position) = position {
            probe.count += 1;
            probe.events.push_back((position, frame.digest));
            if probe.events.len() > self.remembered {
                probe.events.pop_front();
            }
        }
    }

    pub(super) fn finish(&self, found: &mut Found) {
        for (number, probe) in &self.others {
            let (rule, wrong) = match &probe.purpose {
                Purpose::Resume(after) => (RuleId::Resume, self.resumed(*after, probe)),
                Purpose::Twin => {
                    (RuleId::FanOut, self.twin(probe).map(|what| format!("client {number} {what}")))
                }
                Purpose::Position(position, expected) => {
                    (RuleId::Positions, position_wrong(position, expected, probe))
                }
                Purpose::Stalled | Purpose::Follow | Purpose::Failed(..) => continue,
            };
            found.judged(rule);
            if let Some(wrong) = wrong {
                found.add(rule, Finding::new(wrong));
            }
        }
    }

    /// Whether the main connection did not get this event, or could not read it, which other rules say; or it was so
    /// long ago that it is forgotten.
    fn lacks(&self, position: u64) -> bool {
        let is_within = self.main.last_key_value().is_some_and(|(last, _)| position < *last);
        is_within && !self.main.contains_key(&position)
    }

    /// What is wrong with a connection that resumed after a position.
    fn resumed(&self, after: u64, probe: &Probe) -> Option<String> {
        let cut = format!("after the cut at position {after},");
        if let Some(why) = &probe.failed {
            return Some(format!("{cut} the connection failed: {}", shortened(why)));
        }
        if let Some(status) = probe.refused {
            return Some(format!("{cut} the server refused to resume, with the HTTP status {status}"));
        }
        let from = self.main_from.max(probe.known_from());
        let is_forgotten = from > after.saturating_add(1);
        let mut after = after.max(from.saturating_sub(1));
        // What was kept when the main connection got it may be gone now.
        if let Some(Follows::Reset { reason: ResetReason::Expired, from, .. }) = probe.follows
            && probe.oldest > after.saturating_add(1)
            && from >= probe.oldest
        {
            after = from - 1;
        }
        let mut expected = self.main.range(after.saturating_add(1)..);
        let mut last = after;
        let forgotten = probe.count - probe.events.len();
        let events = probe.events.iter().enumerate();
        for (place, (position, digest)) in
            events.skip_while(|(_, (position, _))| is_forgotten && *position <= after)
        {
            if *position > after && self.lacks(*position) {
                last = *position;
                continue;
            }
            match expected.next() {
                // The stream went on meanwhile.
                None if *position > probe.due && *position == last + 1 => {}
                Some((n, same)) if n == position && same == digest => {}
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
        let lost = expected.take_while(|(n, _)| **n <= probe.due).count();
        let events = if lost == 1 { "event is" } else { "events are" };
        (lost > 0).then(|| format!("{cut} {lost} {events} missing"))
    }

    /// What is wrong with a connection that should have got the same as the main one.
    fn twin(&self, probe: &Probe) -> Option<String> {
        if let Some(why) = &probe.failed {
            return Some(format!("could not connect: {}", shortened(why)));
        }
        if let Some(status) = probe.refused {
            return Some(format!("was refused, with the HTTP status {status}"));
        }
        let due = self.main.last_key_value().map_or(0, |(last, _)| *last);
        if !probe.has_messages {
            return (!self.main.is_empty()).then(|| "got nothing at all".to_owned());
        }
        if let Some(wrong) = self.twin_event(probe, due) {
            return Some(wrong);
        }
        let (first, last) = (probe.events.front().map(|(n, _)| *n), probe.events.back().map(|(n, _)| *n));
        let announced = probe.follows.as_ref().map(|follows| follows.range().0);
        let from = announced.into_iter().chain(first).min()?.max(probe.known_from());
        let got: BTreeSet<u64> = probe.events.iter().map(|(n, _)| *n).collect();
        let lost: Vec<u64> = self.main.range(from..).map(|(n, _)| *n).filter(|n| !got.contains(n)).collect();
        match lost.as_slice() {
            [] => None,
            [one] => Some(format!("did not get position {one}")),
            [one, ..] if last.is_none_or(|last| *one > last) => {
                Some(format!("got nothing from position {one} on"))
            }
            [one, .., other] => {
                Some(format!("did not get {} events from position {one} to {other}", lost.len()))
            }
        }
    }

    /// What is wrong with an event that a twin got. The last position of the main connection was `due`.
    fn twin_event(&self, probe: &Probe, due: u64) -> Option<String> {
        let mut got = BTreeSet::new();
        for (position, digest) in &probe.events {
            let highest = got.last().copied();
            let is_new = got.insert(*position);
            match self.main.get(position) {
                Some(same) if same != digest => {
                    return Some(format!("got another event at position {position}"));
                }
                Some(_) if self.disordered.contains(position) => {}
                Some(_) if !is_new => return Some(format!("got position {position} twice")),
                Some(_) => {
                    // If what is higher came early on the main connection too, other rules say so.
                    if let Some(highest) = highest.filter(|highest| position < highest) {
                        return Some(format!("got position {position} after {highest}"));
                    }
                }
                // The stream goes on after the main connection has ended.
                None if *position > due && highest.is_none_or(|highest| *position == highest + 1) => {}
                None if *position > due => {
                    return Some(format!("got position {position}, which the main connection did not get"));
                }
                // If the main connection lacks it, the rule `gap` says so; or it is forgotten.
                None => {}
            }
        }
        None
    }

    pub(super) fn resume_summary(&self) -> String {
        let mut cuts = Vec::new();
        let mut events = 0;
        for probe in self.others.values() {
            if let Purpose::Resume(after) = probe.purpose {
                cuts.push(after.to_string());
                events += probe.count;
            }
        }
        let last = cuts.pop().unwrap_or_default();
        let cuts = if cuts.is_empty() { last } else { format!("{} and {last}", cuts.join(", ")) };
        format!("cut at position {cuts}: {events} events replayed, none lost")
    }

    pub(super) fn fan_out_summary(&self, twins: u64) -> String {
        let stalled = self
            .others
            .values()
            .filter(|probe| probe.purpose == Purpose::Stalled && probe.failed.is_none())
            .count();
        let beside = if stalled > 0 { ", beside one that read nothing" } else { "" };
        format!("{} clients got the same events{beside}", twins + 1)
    }
}

/// What is wrong with the answer to a position that is not one of the stream.
fn position_wrong(position: &str, expected: &Expectation, probe: &Probe) -> Option<String> {
    let asked = quoted(position);
    if let Some(why) = &probe.failed {
        return Some(format!("the connection for the position {asked} failed: {}", shortened(why)));
    }
    let reason = match &probe.follows {
        Some(Follows::Reset { reason, .. }) => Some(reason.as_str()),
        Some(Follows::Started { .. } | Follows::Resumed { .. }) => Some("no reset"),
        None => None,
    };
    match (expected, probe.refused, reason) {
        (Expectation::BadRequest, Some(400), _) => None,
        (Expectation::Reset(wanted), None, Some(reason)) if reason == wanted => None,
        (Expectation::BadRequest, None, _) => {
            Some(format!("the position {asked} was accepted; expected the HTTP status 400"))
        }
        (Expectation::BadRequest, Some(status), _) => {
            Some(format!("the position {asked} was refused with the HTTP status {status}; expected 400"))
        }
        (Expectation::Reset(wanted), Some(status), _) => Some(format!(
            "the position {asked} was refused with the HTTP status {status}; expected a reset, {wanted}"
        )),
        (Expectation::Reset(wanted), None, Some(reason)) => {
            Some(format!("the position {asked} got {reason}; expected a reset, {wanted}"))
        }
        (Expectation::Reset(wanted), None, None) => {
            Some(format!("the position {asked} got no stream_opened; expected a reset, {wanted}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader::Reader;
    use super::*;

    /// A stream of which more is sent than is remembered.
    fn long(remembered: usize, twin_lacks: Option<u64>, resume_lacks: Option<u64>) -> Vec<Option<String>> {
        let mut probes = Probes { remembered, ..Probes::new(true) };
        let reader = Reader::new();
        let frame = |n: u64| {
            let text = format!(
                r#"{{"specversion":"1.0","id":"{n}","source":"/streams/S","type":"x","time":"2026-11-22T10:00:00Z"}}"#
            );
            reader.read(1, None, &text)
        };
        probes.open(1, Purpose::Twin, None);
        for n in 1..=26 {
            probes.see_main(n, &frame(n));
            if Some(n) != twin_lacks {
                probes.see(1, &frame(n));
            }
        }
        for (connection, after) in [(2, 0), (3, 20)] {
            probes.open(connection, Purpose::Resume(after), None);
            for n in (after + 1..=26).filter(|n| Some(*n) != resume_lacks) {
                probes.see(connection, &frame(n));
            }
        }
        vec![
            probes.twin(&probes.others[&1]),
            probes.resumed(0, &probes.others[&2]),
            probes.resumed(20, &probes.others[&3]),
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
