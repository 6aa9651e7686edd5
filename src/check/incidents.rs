//! The incidents of a stream: each event goes to its own one.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::context::{Context, MustResolve};
use super::finding::{Finding, Place, cut, quoted};
use super::followed::Followed;
use super::frame::Frame;
use super::incident::{End, Incident, Stream};
use super::names::short;
use super::numbering::Standing;
use super::outcomes::Outcomes;
use super::rules::{Found, RuleId};
use super::times::Warnings;

/// All incidents that are followed.
#[derive(Debug, Default)]
pub(super) struct Incidents {
    states: HashMap<String, State>,
    pub(super) followed: Followed,
    pub(super) outcomes: Outcomes,
    /// Of how many only a part could be compared with what is expected.
    pub(super) partly_expected: u64,
    /// Events whose incident or index is not known: each explains one missing index of any incident.
    unplaced: u64,
    /// Events whose incident may be another one, because nothing came before them.
    orphans: Vec<Orphan>,
    /// The incidents of events whose index is another one's. They may be of another incident.
    elsewhere: Vec<String>,
    /// What is worth knowing beside the findings.
    pub(super) warnings: Warnings,
    /// The incidents that have ended, in order.
    ended: VecDeque<String>,
    pub(super) longest_delay: f64,
    pub(super) longest_silence: f64,
}

#[derive(Debug)]
enum State {
    Open(Box<Incident>),
    /// Its last event is a resolution. It is judged when it is certain that nothing follows.
    Ended(Box<Incident>),
    /// It is over; and what came after the end.
    Over(Option<Box<After>>),
    /// It took too much memory.
    Left,
}

/// What came after the end of an incident.
#[derive(Debug)]
struct After {
    id: String,
    events: u64,
    /// Where the first of them was.
    place: Place,
}

/// An event of an incident of which nothing came before, although it is not the first one.
#[derive(Debug)]
struct Orphan {
    subject: String,
    index: u64,
    place: Place,
    /// What is wrong if it is of this incident.
    finding: Finding,
}

/// How many incidents that have ended wait for what may follow.
const ENDED: usize = 64;

/// How many events without a beginning are remembered.
const ORPHANS: usize = 100;

/// How the stream ended.
pub(super) struct StreamEnd<'a> {
    pub(super) context: &'a Context,
    pub(super) ended: Option<Duration>,
    /// Whether ends are missing because the connection was cut, or the last messages can't be read.
    pub(super) is_lost: bool,
    pub(super) is_cut: bool,
}

impl Incidents {
    /// The time of the last event of an incident that is open.
    pub(super) fn last_time(&self, subject: &str) -> Option<Timestamp> {
        match self.states.get(&*short(subject)) {
            Some(State::Open(incident)) => incident.last_time,
            _ => None,
        }
    }

    /// An event arrived whose place is not known.
    pub(super) fn lose(&mut self, subject: Option<&str>) {
        if !self.lose_of(subject) {
            self.unplaced += 1;
        }
    }

    /// An event arrived whose place is not known. Returns whether its incident is.
    pub(super) fn lose_of(&mut self, subject: Option<&str>) -> bool {
        match subject.and_then(|subject| self.states.get_mut(&*short(subject))) {
            Some(State::Open(incident)) => {
                incident.lose();
                true
            }
            _ => false,
        }
    }

    /// So many events arrived of which nothing can be read.
    pub(super) fn lose_unknown(&mut self, events: u64) {
        self.unplaced += events;
    }

    /// Whether the next event of an incident has this index.
    pub(super) fn expects(&self, subject: &str, index: u64) -> bool {
        match self.states.get(&*short(subject)) {
            Some(State::Open(incident)) => index == incident.last_index() + 1,
            Some(State::Ended(_) | State::Over(_) | State::Left) => false,
            None => index == 1,
        }
    }

    /// Takes an event.
    pub(super) fn see(
        &mut self,
        subject: &str,
        index: u64,
        mut standing: Standing,
        frame: Frame,
        about: &Stream<'_>,
        found: &mut Found,
    ) {
        let key = short(subject);
        if standing == Standing::Next && self.is_explained(subject, &key, index, found) {
            standing = Standing::AfterGap;
        }
        if !self.states.contains_key(&*key) {
            if !self.followed.admits(self.states.len()) {
                return;
            }
            self.states.insert(key.clone().into_owned(), State::Open(Box::new(Incident::new(subject))));
        }
        // Inserted above if it was not there.
        let Some(state) = self.states.get_mut(&*key) else { return };
        // A resolution that can't be read may be an event of another type.
        if let State::Ended(incident) = state
            && standing != Standing::Late
            && incident.goes_on()
            && let State::Ended(incident) = std::mem::replace(state, State::Left)
        {
            *state = State::Open(incident);
        }
        match state {
            State::Left => self.followed.leave_out(),
            State::Ended(_) | State::Over(_) if standing == Standing::Late => {}
            State::Ended(incident) => {
                incident.forget_resolution();
                let after = After { id: cut(subject), events: 1, place: frame.place() };
                let over = std::mem::replace(state, State::Over(Some(Box::new(after))));
                self.end(over, about.context, found);
            }
            State::Over(after) => {
                let new = || Box::new(After { id: cut(subject), events: 0, place: frame.place() });
                after.get_or_insert_with(new).events += 1;
            }
            State::Open(incident) => {
                if !self.followed.has_room(&mut incident.bytes, frame.bytes) {
                    *state = State::Left;
                    return;
                }
                let place = frame.place();
                let fit = incident.see(frame, index, standing, about, found);
                if let Some(finding) = fit.orphan {
                    self.unborn(key.clone().into_owned(), index, place, finding, found);
                }
                // It may be of another incident, which lacks it.
                if fit.is_elsewhere && self.elsewhere.len() < ORPHANS {
                    self.elsewhere.push(key.clone().into_owned());
                }
                if fit.has_ended
                    && let Some(state) = self.states.get_mut(&*key)
                {
                    if let State::Open(incident) = std::mem::replace(state, State::Left) {
                        *state = State::Ended(incident);
                    }
                    self.ended.push_back(key.into_owned());
                    self.end_oldest(about.context, found);
                }
            }
        }
    }

    /// Whether other events are why the ones before this event are missing in its incident. If the only one that is missing
    /// came under another name, that is reported.
    fn is_explained(&mut self, subject: &str, key: &str, index: u64, found: &mut Found) -> bool {
        let expected = match self.states.get(key) {
            Some(State::Open(incident)) => incident.last_index() + 1,
            Some(State::Ended(_) | State::Over(_) | State::Left) => return false,
            None => 1,
        };
        if index <= expected {
            return false;
        }
        if index == expected + 1 {
            if self.claim(subject, expected, found) {
                return true;
            }
            if let Some(at) = self.elsewhere.iter().position(|other| other != key) {
                self.elsewhere.remove(at);
                return true;
            }
        }
        let is_explained = self.unplaced > 0;
        self.unplaced -= u64::from(is_explained);
        is_explained
    }

    /// Whether an event without a beginning is the one that an incident lacks, which is reported then.
    fn claim(&mut self, subject: &str, lacks: u64, found: &mut Found) -> bool {
        let is_alone = |orphan: &Orphan| match self.states.get(&orphan.subject) {
            Some(State::Open(other) | State::Ended(other)) => other.last_index() == orphan.index,
            _ => false,
        };
        let is_it = |orphan: &Orphan| orphan.index == lacks && orphan.subject != subject && is_alone(orphan);
        let Some(at) = self.orphans.iter().position(is_it) else { return false };
        let Orphan { subject: other, place, .. } = self.orphans.remove(at);
        if let Some(State::Open(incident)) = self.states.get_mut(&other) {
            incident.is_misnamed = true;
        }
        let text = format!(
            "the subject is {}, which has no other event; expected {}, which lacks index {lacks}",
            quoted(&other),
            quoted(subject)
        );
        found.add(RuleId::Lifecycle, Finding::new(text).place(&place).field("/subject"));
        true
    }

    /// An event came of an incident of which the events before it should have come.
    fn unborn(&mut self, subject: String, index: u64, place: Place, finding: Finding, found: &mut Found) {
        if self.orphans.len() >= ORPHANS {
            found.add(RuleId::Gap, finding);
            return;
        }
        self.orphans.push(Orphan { subject, index, place, finding });
        self.begun_alone(index);
    }

    /// An incident begins with its second event: one that has nothing but its start may be the same one.
    fn begun_alone(&mut self, index: u64) {
        for state in self.states.values_mut().filter(|_| index == 2) {
            if let State::Open(incident) = state
                && incident.last_index() == 1
            {
                incident.is_misnamed = true;
            }
        }
    }

    /// If many incidents have ended, nothing more is expected of the oldest one.
    fn end_oldest(&mut self, context: &Context, found: &mut Found) {
        if self.ended.len() <= ENDED {
            return;
        }
        if let Some(oldest) = self.ended.pop_front()
            && let Some(state @ State::Ended(_)) = self.states.get_mut(&oldest)
        {
            let over = std::mem::replace(state, State::Over(None));
            self.end(over, context, found);
        }
    }

    /// Judges the end of an incident that is over.
    fn end(&mut self, state: State, context: &Context, found: &mut Found) {
        let State::Ended(mut incident) = state else { return };
        let end = End { context, ended: None, is_due: false };
        self.longest_delay = self.longest_delay.max(incident.finish(&end, found));
        self.longest_silence = self.longest_silence.max(incident.silence.longest);
        incident.warn(&mut self.warnings);
        self.outcomes.count(incident.outcome, true, incident.has_start);
        self.partly_expected += u64::from(incident.is_partly_expected());
        self.followed.end(incident.bytes);
    }

    /// Judges the end of the stream.
    pub(super) fn finish(&mut self, end: &StreamEnd<'_>, found: &mut Found) {
        let must_resolve = &end.context.must_resolve;
        if let MustResolve::Only(id) = must_resolve
            && !self.states.contains_key(&*short(id))
            && !end.is_cut
        {
            let text = format!("{} was triggered, but no event of it arrived", cut(id));
            found.add(RuleId::Lifecycle, Finding::new(text));
        }
        let is_lost = end.is_lost || self.unplaced > 0;
        // The end of an incident may have come under another name.
        let open = self.states.iter().filter_map(|(id, state)| match state {
            State::Open(incident) if !self.orphans.is_empty() => {
                Some((id.clone(), incident.last_index() + 1))
            }
            _ => None,
        });
        let mut open: Vec<(String, u64)> = open.collect();
        open.sort();
        for (id, lacks) in open {
            if self.claim(&id, lacks, found)
                && let Some(State::Open(incident)) = self.states.get_mut(&id)
            {
                incident.is_misnamed = true;
            }
        }
        let mut states: Vec<_> = std::mem::take(&mut self.states).into_iter().collect();
        states.sort_by(|(one, _), (other, _)| one.cmp(other));
        for orphan in std::mem::take(&mut self.orphans) {
            found.add(RuleId::Gap, orphan.finding);
        }
        for (id, state) in states {
            match state {
                State::Open(mut incident) => {
                    // If the connection was cut, or the last message can't be read, that is why the end is missing.
                    let is_due = must_resolve.requires(&id) && !is_lost && !incident.is_misnamed;
                    let end = End { context: end.context, ended: end.ended, is_due };
                    self.longest_delay = self.longest_delay.max(incident.finish(&end, found));
                    self.longest_silence = self.longest_silence.max(incident.silence.longest);
                    incident.warn(&mut self.warnings);
                    self.outcomes.count(None, false, incident.has_start);
                    self.partly_expected += u64::from(incident.is_partly_expected());
                }
                ended @ State::Ended(_) => self.end(ended, end.context, found),
                State::Over(None) | State::Left => {}
                State::Over(Some(after)) => {
                    let After { id, events, place } = *after;
                    let word = if events == 1 { "event" } else { "events" };
                    let text = format!("{id} has {events} {word} after its resolution");
                    found.add(RuleId::Lifecycle, Finding::new(text).place(&place));
                }
            }
        }
    }
}
