//! The rules `resume`, `fan-out` and `positions`: what further connections get while, or after, the main one is judged.

use std::collections::BTreeMap;

use super::finding::{Finding, quoted};
use super::frame::Frame;
use super::observation::{Expectation, Purpose};
use super::rules::{Found, RuleId};
use crate::contract::{Follows, Message};

/// How many events of the main connection are remembered for comparing.
const REMEMBERED: usize = 200_000;

/// The further connections, and what they are compared with.
#[derive(Debug, Default)]
pub(super) struct Probes {
    /// A hash of each event of the main connection.
    main: BTreeMap<u64, u64>,
    others: BTreeMap<u32, Probe>,
    is_compared: bool,
}

#[derive(Debug)]
struct Probe {
    purpose: Purpose,
    /// The position that the main connection had reached when this one was opened.
    due: u64,
    refused: Option<u16>,
    follows: Option<Follows>,
    /// The events, each with its hash.
    events: Vec<(u64, u64)>,
}

impl Probes {
    /// If `is_compared`, other connections will be compared with the main one.
    pub(super) fn new(is_compared: bool) -> Self {
        Self { is_compared, ..Self::default() }
    }

    /// Takes an event of the main connection.
    pub(super) fn see_main(&mut self, position: u64, frame: &Frame) {
        if !self.is_compared {
            return;
        }
        self.main.insert(position, frame.digest);
        if self.main.len() > REMEMBERED {
            self.main.pop_first();
        }
    }

    pub(super) fn open(&mut self, connection: u32, purpose: Purpose, refused: Option<u16>) {
        let due = self.main.last_key_value().map_or(0, |(n, _)| *n);
        let probe = Probe { purpose, due, refused, follows: None, events: Vec::new() };
        self.others.insert(connection, probe);
    }

    pub(super) fn see(&mut self, connection: u32, frame: &Frame) {
        let Some(probe) = self.others.get_mut(&connection) else { return };
        if let Some(Message::StreamOpened(opened)) = &frame.message {
            probe.follows.get_or_insert_with(|| opened.follows.clone());
        }
        let position = frame.head.as_ref().and_then(|head| head.position);
        if let Some(position) = position.filter(|_| probe.events.len() < REMEMBERED) {
            probe.events.push((position, frame.digest));
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
                Purpose::Stalled | Purpose::Follow => continue,
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
        if let Some(status) = probe.refused {
            return Some(format!("{cut} the server refused to resume, with the HTTP status {status}"));
        }
        let mut expected = self.main.range(after + 1..);
        let mut last = after;
        for (place, (position, digest)) in probe.events.iter().enumerate() {
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
                        place + 1
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
        if let Some(status) = probe.refused {
            return Some(format!("was refused, with the HTTP status {status}"));
        }
        let (first, last) = (probe.events.first().map(|(n, _)| *n), probe.events.last().map(|(n, _)| *n));
        for (position, digest) in &probe.events {
            match self.main.get(position) {
                Some(same) if same == digest => {}
                Some(_) => return Some(format!("got another event at position {position}")),
                // If this client lacks it, the rule `gap` says so.
                None => {}
            }
        }
        let from = first.or_else(|| probe.follows.as_ref().map(|follows| follows.range().0))?;
        let got: std::collections::BTreeSet<u64> = probe.events.iter().map(|(n, _)| *n).collect();
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

    pub(super) fn resume_summary(&self) -> String {
        let mut cuts = Vec::new();
        let mut events = 0;
        for probe in self.others.values() {
            if let Purpose::Resume(after) = probe.purpose {
                cuts.push(after.to_string());
                events += probe.events.len();
            }
        }
        let last = cuts.pop().unwrap_or_default();
        let cuts = if cuts.is_empty() { last } else { format!("{} and {last}", cuts.join(", ")) };
        format!("cut at position {cuts}: {events} events replayed, none lost")
    }

    pub(super) fn fan_out_summary(&self, twins: u64) -> String {
        let stalled = self.others.values().filter(|probe| probe.purpose == Purpose::Stalled).count();
        let beside = if stalled > 0 { ", beside one that read nothing" } else { "" };
        format!("{} clients got the same events{beside}", twins + 1)
    }
}

/// What is wrong with the answer to a position that is not one of the stream.
fn position_wrong(position: &str, expected: &Expectation, probe: &Probe) -> Option<String> {
    let asked = quoted(position);
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
