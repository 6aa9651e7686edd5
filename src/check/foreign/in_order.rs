//! The rules `resume` and `fan-out` by a profile: what further connections get, compared with the first one in order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::finding::{Finding, cut as shortened};
use super::super::frame::{ForeignRole, Frame};
use super::super::further::{Connection, Further, unconnected};
use super::super::names::short;
use super::super::observation::Purpose;
use super::super::profile::Profile;
use super::super::rules::{Found, RuleId};
use super::compare::{self, Seen};
use super::reading::label;
use super::recent::Recent;

/// How many events of a connection are remembered for comparing: the last ones.
const REMEMBERED: usize = 50_000;

#[derive(Debug)]
pub(super) struct InOrder {
    /// The events of the first connection that are remembered, each with its key. What came twice is there once.
    first: VecDeque<(Option<String>, Seen)>,
    /// How many events of the first connection came before those.
    forgotten: u64,
    /// What came twice on the first connection, which another rule reports: it may come twice on the others too.
    repeated: Recent,
    /// Whether events came late on the first connection, which another rule reports.
    is_disordered: bool,
    others: BTreeMap<u32, Got>,
    remembered: usize,
    /// The connections of which something was compared.
    compared: BTreeSet<u32>,
    /// The rules by which a connection was to be compared of which nothing can be.
    uncompared: Vec<RuleId>,
}

/// What a further connection got.
#[derive(Debug, Default)]
struct Got {
    /// The events that are remembered: of a connection that resumes the first ones, of others the last ones.
    events: VecDeque<Seen>,
    /// How many are not.
    forgotten: u64,
    keeps_first: bool,
}

/// What came of comparing what a connection got.
enum Compared {
    Same,
    Wrong(String),
    /// There is nothing of it that can be compared.
    Nothing,
}

impl Got {
    fn count(&self) -> u64 {
        self.forgotten + self.events.len() as u64
    }
}

impl Default for InOrder {
    fn default() -> Self {
        Self {
            first: VecDeque::new(),
            forgotten: 0,
            repeated: Recent::default(),
            is_disordered: false,
            others: BTreeMap::new(),
            remembered: REMEMBERED,
            compared: BTreeSet::new(),
            uncompared: Vec::new(),
        }
    }
}

impl InOrder {
    /// Takes an event of the first connection, the `count`th.
    pub(super) fn see_first(&mut self, frame: &Frame, count: u64) {
        let Some(seen) = seen(frame, count) else { return };
        let key = frame.foreign.as_ref().and_then(|foreign| foreign.bookmark.key.as_deref());
        let key = key.map(|key| short(key).into_owned());
        self.first.push_back((key, seen));
        if self.first.len() > self.remembered {
            self.first.pop_front();
            self.forgotten += 1;
        }
    }

    /// How many events of the first connection came that are compared.
    pub(super) fn count(&self) -> u64 {
        self.forgotten + self.first.len() as u64
    }

    /// An event came again on the first connection.
    pub(super) fn repeat(&mut self, frame: &Frame) {
        if let Some(foreign) = &frame.foreign {
            self.repeated.add(foreign.identity);
        }
    }

    /// An event came late on the first connection.
    pub(super) fn disorder(&mut self) {
        self.is_disordered = true;
    }

    pub(super) fn open(&mut self, connection: u32, purpose: &Purpose) {
        let keeps_first = matches!(purpose, Purpose::Resume(_));
        self.others.insert(connection, Got { keeps_first, ..Got::default() });
    }

    /// Takes an event of another connection.
    pub(super) fn see(&mut self, connection: u32, frame: &Frame) {
        let Some(got) = self.others.get_mut(&connection) else { return };
        let Some(seen) = seen(frame, got.count() + 1) else { return };
        got.events.push_back(seen);
        if got.events.len() > self.remembered {
            if got.keeps_first {
                got.events.pop_back();
            } else {
                got.events.pop_front();
            }
            got.forgotten += 1;
        }
    }

    /// Whether a connection was to be compared by this rule of which nothing can be.
    pub(super) fn has_uncompared(&self, rule: RuleId) -> bool {
        self.uncompared.contains(&rule)
    }

    pub(super) fn finish(&mut self, further: &Further, profile: &Profile, found: &mut Found) {
        let nothing = Got::default();
        for (number, connection) in further.iter() {
            let got = self.others.get(&number).unwrap_or(&nothing);
            let (rule, compared) = match &connection.purpose {
                Purpose::Resume(after) => (RuleId::Resume, self.resumed(*after, connection, got, profile)),
                Purpose::Twin => (RuleId::FanOut, self.twin(number, connection, got)),
                Purpose::Stalled => match unconnected(connection) {
                    Some(why) => (
                        RuleId::FanOut,
                        Compared::Wrong(format!("client {number}, which reads nothing, {why}")),
                    ),
                    None => continue,
                },
                Purpose::Follow | Purpose::Position(..) | Purpose::Failed(..) => continue,
            };
            let wrong = match compared {
                Compared::Wrong(wrong) => Some(wrong),
                Compared::Same if !self.first.is_empty() => None,
                // Where nothing came there is nothing to compare.
                Compared::Same | Compared::Nothing => {
                    self.uncompared.push(rule);
                    continue;
                }
            };
            self.compared.insert(number);
            found.judged(rule);
            if let Some(wrong) = wrong {
                found.add(rule, Finding::new(wrong));
            }
        }
    }

    fn resumed(&self, after: u64, connection: &Connection, got: &Got, profile: &Profile) -> Compared {
        // Of the event before the cut more is not remembered.
        let place = after.checked_sub(self.forgotten).and_then(|place| usize::try_from(place).ok());
        let Some((place, (key, last))) =
            place.and_then(|place| Some((place, self.first.get(place.checked_sub(1)?)?)))
        else {
            return Compared::Nothing;
        };
        let cut = format!("after the cut at {},", last.label);
        if let Some(why) = &connection.failed {
            return Compared::Wrong(format!("{cut} the connection failed: {}", shortened(why)));
        }
        if let Some(status) = connection.refused {
            return Compared::Wrong(format!(
                "{cut} the server refused to resume, with the HTTP status {status}"
            ));
        }
        if !connection.is_comparable {
            return Compared::Nothing;
        }
        let uses = |name| profile.resume.as_ref().is_some_and(|resume| resume.uses(name));
        let of_key = |other: &Option<String>| !uses("key") || other == key;
        let mut events = self.once(&got.events);
        let mut rest: Vec<&Seen> = match last.n.filter(|_| uses("sequence")) {
            Some(n) => {
                // What is missing on the first connection, or came in another order, is reported there.
                let known: BTreeSet<u64> = self.first.iter().map(|(_, seen)| seen.identity).collect();
                let highest = self.first.iter().filter_map(|(_, seen)| seen.n).max();
                // An event whose number can't be read is in no place.
                events.retain(|seen| seen.n.is_some());
                events
                    .retain(|seen| !profile.is_gapless || known.contains(&seen.identity) || seen.n > highest);
                let mut rest: Vec<&Seen> =
                    self.first.iter().filter(|(other, _)| of_key(other)).map(|(_, seen)| seen).collect();
                rest.retain(|seen| seen.n > Some(n));
                if self.is_disordered {
                    rest.sort_by_key(|seen| seen.n);
                    events.sort_by_key(|seen| seen.n);
                }
                rest
            }
            None if self.is_disordered => return Compared::Nothing,
            None => {
                let rest = self.first.iter().skip(place);
                rest.filter(|(other, _)| of_key(other)).map(|(_, seen)| seen).collect()
            }
        };
        // What a connection does not get after its end, the rule `connection` says, or what is not remembered.
        if connection.is_cut || got.forgotten > 0 {
            if events.is_empty() && !rest.is_empty() {
                return Compared::Nothing;
            }
            rest.truncate(events.len());
        }
        match compare::difference(rest.into_iter(), &events) {
            Some(what) => Compared::Wrong(format!("{cut} {what}")),
            None => Compared::Same,
        }
    }

    /// Events without those that the first connection had twice as well.
    fn once(&self, events: &VecDeque<Seen>) -> Vec<Seen> {
        let mut met = BTreeSet::new();
        let once = |seen: &&Seen| !self.repeated.contains(seen.identity) || met.insert(seen.identity);
        events.iter().filter(once).cloned().collect()
    }

    fn twin(&self, number: u32, connection: &Connection, got: &Got) -> Compared {
        if let Some(why) = unconnected(connection) {
            return Compared::Wrong(format!("client {number} {why}"));
        }
        if !connection.is_comparable {
            return Compared::Nothing;
        }
        let first: Vec<Seen> = self.first.iter().map(|(_, seen)| seen.clone()).collect();
        let events = self.once(&got.events);
        if events.is_empty() && connection.is_cut {
            return Compared::Nothing;
        }
        match compare::twin(&first, &events, !connection.is_cut) {
            Some(what) => Compared::Wrong(format!("client {number}: {what}")),
            None => Compared::Same,
        }
    }

    pub(super) fn resume_summary(&self, further: &Further) -> String {
        let (mut cuts, mut events) = (0, 0);
        for (number, connection) in further.iter() {
            if matches!(connection.purpose, Purpose::Resume(_)) && self.compared.contains(&number) {
                cuts += 1;
                events += self.others.get(&number).map_or(0, Got::count);
            }
        }
        format!("cut and resumed {cuts} times: {events} events replayed, none lost")
    }

    pub(super) fn fan_out_summary(&self, further: &Further, twins: u64) -> String {
        let same = if self.forgotten > 0 {
            format!("the same last {} events", self.remembered)
        } else {
            "the same events".to_owned()
        };
        format!("{} clients got {same}{}", twins + 1, further.stalled_in_words())
    }
}

/// An event as it is compared; `None` for what is no event.
fn seen(frame: &Frame, count: u64) -> Option<Seen> {
    let foreign = frame.foreign.as_ref()?;
    let n = frame.head.as_ref().and_then(|head| head.position);
    let is_event = foreign.role != ForeignRole::Control;
    is_event.then(|| Seen {
        identity: foreign.identity,
        digest: frame.digest,
        is_faulty: frame.is_faulty,
        n,
        label: label(frame, count),
    })
}
