//! The rules `resume` and `fan-out` by a profile: what further connections get, compared with the main one in order.

use std::collections::{BTreeMap, BTreeSet};

use super::super::finding::{Finding, cut as shortened};
use super::super::frame::{ForeignRole, Frame};
use super::super::observation::Purpose;
use super::super::profile::Profile;
use super::super::rules::{Found, RuleId};
use super::compare::{self, Seen};
use super::reading::label;

/// How many events of a connection are remembered for comparing. A longer stream is compared from its beginning on.
const REMEMBERED: usize = 200_000;

#[derive(Debug, Default)]
pub(super) struct Probes {
    /// The events of the main connection, each with its key. What came twice is there once.
    main: Vec<(Option<String>, Seen)>,
    /// What came twice on the main connection, which another rule reports: it may come twice on the others too.
    repeated: BTreeSet<u64>,
    /// Whether events came late on the main connection, which another rule reports.
    is_disordered: bool,
    others: BTreeMap<u32, Probe>,
}

#[derive(Debug)]
struct Probe {
    purpose: Purpose,
    refused: Option<u16>,
    /// Why there was no connection.
    failed: Option<String>,
    events: Vec<Seen>,
}

impl Probes {
    /// Takes an event of the main connection, the `count`th.
    pub(super) fn see_main(&mut self, frame: &Frame, count: u64) {
        if let (Some(seen), true) = (seen(frame, count), self.main.len() < REMEMBERED) {
            let key = frame.foreign.as_ref().and_then(|foreign| foreign.mark.key.clone());
            self.main.push((key, seen));
        }
    }

    /// How many events of the main connection are remembered.
    pub(super) fn remembered(&self) -> u64 {
        self.main.len() as u64
    }

    /// An event came again on the main connection.
    pub(super) fn repeat(&mut self, frame: &Frame) {
        if let (Some(foreign), true) = (&frame.foreign, self.repeated.len() < REMEMBERED) {
            self.repeated.insert(foreign.identity);
        }
    }

    /// An event came late on the main connection.
    pub(super) fn disorder(&mut self) {
        self.is_disordered = true;
    }

    pub(super) fn open(&mut self, connection: u32, purpose: Purpose, refused: Option<u16>) {
        let (purpose, failed) = purpose.split();
        self.others.insert(connection, Probe { purpose, refused, failed, events: Vec::new() });
    }

    /// Takes an event of another connection.
    pub(super) fn see(&mut self, connection: u32, frame: &Frame) {
        let Some(probe) = self.others.get_mut(&connection) else { return };
        if probe.events.len() < REMEMBERED {
            probe.events.extend(seen(frame, probe.events.len() as u64 + 1));
        }
    }

    pub(super) fn finish(&self, profile: &Profile, found: &mut Found) {
        for (number, probe) in &self.others {
            let (rule, wrong) = match &probe.purpose {
                Purpose::Resume(after) => (RuleId::Resume, self.resumed(*after, probe, profile)),
                Purpose::Twin => (RuleId::FanOut, self.twin(*number, probe)),
                Purpose::Follow | Purpose::Stalled | Purpose::Position(..) | Purpose::Failed(..) => continue,
            };
            // Where nothing came there is nothing to compare.
            if wrong.is_none() && self.main.is_empty() {
                continue;
            }
            found.judged(rule);
            if let Some(wrong) = wrong {
                found.add(rule, Finding::new(wrong));
            }
        }
    }

    fn resumed(&self, after: u64, probe: &Probe, profile: &Profile) -> Option<String> {
        let place = usize::try_from(after).unwrap_or(usize::MAX);
        let (key, last) = self.main.get(place.checked_sub(1)?)?;
        let cut = format!("after the cut at {},", last.label);
        if let Some(why) = &probe.failed {
            return Some(format!("{cut} the connection failed: {}", shortened(why)));
        }
        if let Some(status) = probe.refused {
            return Some(format!("{cut} the server refused to resume, with the HTTP status {status}"));
        }
        let uses = |name| profile.resume.as_ref().is_some_and(|resume| resume.uses(name));
        let of_key = |other: &Option<String>| !uses("key") || other == key;
        let mut got = self.once(&probe.events);
        let rest: Vec<&Seen> = match last.n.filter(|_| uses("sequence")) {
            Some(n) => {
                // What is missing on the main connection, or came in another order, is reported there.
                let known: BTreeSet<u64> = self.main.iter().map(|(_, seen)| seen.identity).collect();
                let highest = self.main.iter().filter_map(|(_, seen)| seen.n).max();
                // An event whose number can't be read is in no place.
                got.retain(|seen| seen.n.is_some());
                got.retain(|seen| !profile.is_gapless || known.contains(&seen.identity) || seen.n > highest);
                let mut rest: Vec<&Seen> =
                    self.main.iter().filter(|(other, _)| of_key(other)).map(|(_, seen)| seen).collect();
                rest.retain(|seen| seen.n > Some(n));
                if self.is_disordered {
                    rest.sort_by_key(|seen| seen.n);
                    got.sort_by_key(|seen| seen.n);
                }
                rest
            }
            None if self.is_disordered => return None,
            None => {
                self.main[place..].iter().filter(|(other, _)| of_key(other)).map(|(_, seen)| seen).collect()
            }
        };
        let what = compare::difference(rest.into_iter(), &got)?;
        Some(format!("{cut} {what}"))
    }

    /// Events without those that the main connection had twice as well.
    fn once(&self, events: &[Seen]) -> Vec<Seen> {
        let mut met = BTreeSet::new();
        let once = |seen: &&Seen| !self.repeated.contains(&seen.identity) || met.insert(seen.identity);
        events.iter().filter(once).cloned().collect()
    }

    fn twin(&self, number: u32, probe: &Probe) -> Option<String> {
        if let Some(why) = &probe.failed {
            return Some(format!("client {number} could not connect: {}", shortened(why)));
        }
        if let Some(status) = probe.refused {
            return Some(format!("client {number} was refused, with the HTTP status {status}"));
        }
        let main: Vec<Seen> = self.main.iter().map(|(_, seen)| seen.clone()).collect();
        let what = compare::twin(&main, &self.once(&probe.events), probe.events.len() < REMEMBERED)?;
        Some(format!("client {number}: {what}"))
    }

    pub(super) fn resume_summary(&self) -> String {
        let cuts = self.others.values().filter(|probe| matches!(probe.purpose, Purpose::Resume(_)));
        let (cuts, events) =
            cuts.fold((0, 0), |(cuts, events), probe| (cuts + 1, events + probe.events.len()));
        format!("cut and resumed {cuts} times: {events} events replayed, none lost")
    }

    pub(super) fn fan_out_summary(&self, twins: u64) -> String {
        let stalled =
            self.others.values().any(|probe| probe.purpose == Purpose::Stalled && probe.failed.is_none());
        let beside = if stalled { ", beside one that read nothing" } else { "" };
        format!("{} clients got the same events{beside}", twins + 1)
    }
}

/// An event as it is compared; `None` for what is no event.
fn seen(frame: &Frame, count: u64) -> Option<Seen> {
    let foreign = frame.foreign.as_ref()?;
    let n = frame.head.as_ref().and_then(|head| head.position);
    let is_event = foreign.role != ForeignRole::Control;
    is_event.then(|| Seen { identity: foreign.identity, digest: frame.digest, n, label: label(frame, count) })
}
