//! What a server knows of the stream: every event that is kept, folded in the order of the positions. All decisions about
//! appends rest on it.

pub(super) mod snapshot;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::super::admission::IncidentProgress;
use super::super::clock::Moment;
use super::super::log::Span;
use super::super::record::{Key, KeyedEvent};
use super::message::{Entry, ORIGIN, PlanMark, WriterMark};
use crate::contract::{MAX_INDEX, Role};

/// The most ids of incidents that are kept longer than their events, so that none of them is used again.
const IDS: usize = 10_000;

/// The stream up to a position.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct Fold {
    pub(super) head: u64,
    /// The chain at `head`.
    pub(super) chain: u64,
    /// The chain of each kept event is not kept; that of the event before the oldest one that was read is not known.
    begun: bool,
    /// The time of the newest event, in microseconds since 1970.
    pub(super) newest_us: Option<i64>,
    /// The incident of each kept event, up to `head`.
    kept: VecDeque<Arc<str>>,
    incidents: HashMap<Arc<str>, Incident>,
    /// The open incidents by their start.
    open: BTreeMap<u64, Arc<str>>,
    /// The ends of incidents of which only the id is kept, and these ids in the order in which they were dropped.
    over: HashMap<Arc<str>, u64>,
    ended: VecDeque<Arc<str>>,
    /// Ids that were forgotten, because too many are kept.
    pub(super) evicted: Vec<Arc<str>>,
    keys: HashMap<(String, String), KeyedEvent>,
    /// The same keys in order of their events' positions.
    keyed: VecDeque<(u64, (String, String))>,
    /// The newest append of this process that is in the stream, and the position of its first event.
    pub(super) own: Option<(u64, u64)>,
    /// Incidents with a plan that have ended: the plan can go.
    pub(super) finished: VecDeque<Arc<str>>,
}

/// An incident with at least one kept event.
#[derive(Debug, Clone)]
#[cfg_attr(test, derive(PartialEq))]
pub(super) struct Incident {
    pub(super) start: u64,
    /// Index of the first kept event.
    first: u64,
    /// Positions of the kept events.
    positions: VecDeque<u64>,
    /// The moment of its newest event.
    pub(super) last: Moment,
    /// When its first event was read, by this process's steady clock, if it was read as it came.
    pub(super) begun: Option<Duration>,
    pub(super) end: Option<u64>,
    pub(super) plan: Option<PlanMark>,
}

impl Incident {
    /// Index of its newest event.
    pub(super) fn index(&self) -> u64 {
        self.first + self.positions.len() as u64 - 1
    }

    fn position(&self, index: u64) -> Option<u64> {
        let place = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.positions.get(place).copied()
    }

    fn span(&self, subject: &str) -> Span {
        Span { subject: subject.to_owned(), start: self.start, end: self.end }
    }
}

impl Fold {
    /// The fold of a stream whose oldest event has this position.
    pub(super) fn begin_at(oldest: u64) -> Self {
        Self { head: oldest.saturating_sub(1), chain: ORIGIN, begun: oldest <= 1, ..Self::default() }
    }

    /// The fold of a stream whose events are all gone, with the chain of the last one.
    pub(super) fn emptied(head: u64, chain: u64) -> Self {
        Self { head, chain, begun: true, ..Self::default() }
    }

    /// Goes on behind events that were dropped before they were read here. Every event of an open incident is kept, so the
    /// events that are kept tell all about them.
    pub(super) fn restart_at(&mut self, oldest: u64) {
        let ended = self.incidents.iter().filter(|(_, incident)| incident.end.is_none());
        let planned = ended.filter(|(_, incident)| incident.plan.is_some());
        self.finished.extend(planned.map(|(subject, _)| Arc::clone(subject)));
        self.drop_before(oldest);
        self.open.clear();
        self.head = oldest.saturating_sub(1);
        self.chain = ORIGIN;
        self.begun = oldest <= 1;
    }

    pub(super) fn oldest(&self) -> u64 {
        self.head + 1 - self.kept.len() as u64
    }

    /// Takes in the next event. `claimed` is the chain in its message, `node` this process.
    ///
    /// # Errors
    /// It does not follow what was read before.
    pub(super) fn push(
        &mut self,
        entry: &Entry,
        claimed: u64,
        node: u64,
        steady: Duration,
    ) -> Result<(), String> {
        let stored = &entry.stored;
        if stored.position != self.head + 1 {
            return Err(format!("it follows event {}", self.head));
        }
        // Retention has dropped what the first event continues.
        if self.begun && entry.chain(self.chain) != claimed {
            return Err("its chain does not continue that of the event before it".to_owned());
        }
        let role = stored.kind.role();
        let last = Moment { time: stored.time, steady };
        let subject = match self.incidents.get_key_value(&stored.subject) {
            Some((known, incident)) => {
                if incident.end.is_some() || stored.index != incident.index() + 1 || role == Role::Start {
                    return Err(format!("{} does not go on with it", stored.subject));
                }
                Arc::clone(known)
            }
            None => Arc::clone(&stored.subject),
        };
        let incident = self.incidents.entry(Arc::clone(&subject)).or_insert_with(|| Incident {
            start: entry.start,
            first: stored.index,
            positions: VecDeque::new(),
            last,
            begun: None,
            end: None,
            plan: None,
        });
        incident.positions.push_back(stored.position);
        incident.last = last;
        match role {
            Role::Start => {
                incident.begun = (!steady.is_zero()).then_some(steady);
                incident.plan.clone_from(&entry.plan);
                self.open.insert(stored.position, Arc::clone(&subject));
            }
            Role::End => {
                incident.end = Some(stored.position);
                self.open.remove(&incident.start);
                if incident.plan.take().is_some() {
                    self.finished.push_back(Arc::clone(&subject));
                }
            }
            Role::Middle | Role::Control => {}
        }
        if let Some(Key { source, id, digest }) = entry.key.clone() {
            let event = KeyedEvent { position: stored.position, index: stored.index, digest };
            self.keys.insert((source.clone(), id.clone()), event);
            self.keyed.push_back((stored.position, (source, id)));
        }
        self.kept.push_back(subject);
        self.head = stored.position;
        self.chain = claimed;
        self.begun = true;
        self.newest_us = Some(stored.time.as_microsecond());
        let WriterMark { node: writer, append } = entry.writer;
        if writer == node && self.own.is_none_or(|(known, _)| known != append) {
            self.own = Some((append, stored.position));
        }
        Ok(())
    }

    /// Lets go of the events before a position, which the stream does not have any more. Returns the incidents of which
    /// nothing is left.
    pub(super) fn drop_before(&mut self, position: u64) -> Vec<(Arc<str>, u64)> {
        let mut gone = Vec::new();
        while self.oldest() < position {
            let Some(subject) = self.kept.pop_front() else { break };
            let Some(incident) = self.incidents.get_mut(&subject) else { continue };
            incident.positions.pop_front();
            incident.first += 1;
            if incident.positions.is_empty() {
                let end = incident.end.unwrap_or_default();
                self.incidents.remove(&subject);
                self.forget(Arc::clone(&subject), end);
                gone.push((subject, end));
            }
        }
        let oldest = self.oldest();
        while let Some((position, key)) = self.keyed.front()
            && *position < oldest
        {
            self.keys.remove(key);
            self.keyed.pop_front();
        }
        gone
    }

    /// Keeps only the id of an incident.
    pub(super) fn forget(&mut self, subject: Arc<str>, end: u64) {
        if self.over.insert(Arc::clone(&subject), end).is_none() {
            self.ended.push_back(subject);
        }
        if self.ended.len() > IDS
            && let Some(first) = self.ended.pop_front()
        {
            self.over.remove(&first);
            self.evicted.push(first);
        }
    }

    /// Leaves the removal of what is not needed to the process that is in charge. What that misses, because it stops, is not
    /// much: the newest plans are still known here.
    pub(super) fn leave_to_others(&mut self) {
        const KNOWN: usize = 1_000;
        let surplus = self.finished.len().saturating_sub(KNOWN);
        self.finished.drain(..surplus);
        self.evicted.clear();
    }

    /// The incidents of which nothing is left if the events before a position go, with the positions of their ends.
    pub(super) fn over_before(&self, position: u64) -> Vec<(Arc<str>, u64)> {
        let gone = self.kept.iter().zip(self.oldest()..position);
        let ends = gone.filter_map(|(subject, at)| {
            let end = self.incidents.get(subject)?.end?;
            (end == at).then(|| (Arc::clone(subject), end))
        });
        ends.collect()
    }

    /// The position up to which nothing of an open incident is.
    pub(super) fn first_open(&self) -> Option<u64> {
        self.open.first_key_value().map(|(start, _)| *start)
    }

    pub(super) fn progress(&self, subject: &str) -> IncidentProgress {
        let known = self.incidents.get(subject);
        let known = known.map(|incident| IncidentProgress { index: incident.index(), end: incident.end });
        let over =
            || self.over.get(subject).map(|end| IncidentProgress { index: MAX_INDEX, end: Some(*end) });
        known.or_else(over).unwrap_or_default()
    }

    pub(super) fn position(&self, subject: &str, index: u64) -> Option<u64> {
        self.incidents.get(subject)?.position(index)
    }

    pub(super) fn named(&self, name: &(String, String)) -> Option<KeyedEvent> {
        self.keys.get(name).copied()
    }

    pub(super) fn incident(&self, subject: &str) -> Option<&Incident> {
        self.incidents.get(subject)
    }

    /// Whether an incident has this id, or had it.
    pub(super) fn is_taken(&self, subject: &str) -> bool {
        self.incidents.contains_key(subject) || self.over.contains_key(subject)
    }

    pub(super) fn span(&self, subject: &str) -> Option<Span> {
        self.incidents.get(subject).map(|incident| incident.span(subject))
    }

    /// The open incidents in order of their start.
    pub(super) fn open(&self) -> impl Iterator<Item = (&Arc<str>, &Incident)> {
        self.open.values().filter_map(|subject| Some((subject, self.incidents.get(subject)?)))
    }

    /// The newest incidents in order of their start.
    pub(super) fn newest(&self, limit: usize) -> Vec<Span> {
        let mut spans: Vec<_> =
            self.incidents.iter().map(|(subject, incident)| incident.span(subject)).collect();
        spans.sort_by_key(|span| span.start);
        spans.split_off(spans.len().saturating_sub(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::MessageType;
    use crate::journal::record::Stored;

    /// Folds the events of incidents, each with its position, incident, index and start.
    fn fold(fold: &mut Fold, events: &[(u64, &str, u64, u64)]) {
        for (position, subject, index, start) in events.iter().copied() {
            let kind = if index == 1 { MessageType::IncidentStarted } else { MessageType::IncidentResolved };
            let stored = Stored {
                position,
                time: jiff::Timestamp::default(),
                subject: Arc::from(subject),
                index,
                kind,
                data: serde_json::value::RawValue::from_string("{}".to_owned()).unwrap_or_default(),
            };
            let plan = (index == 1).then(|| PlanMark { parts: 1, digest: "a".to_owned() });
            let writer = WriterMark { node: 1, append: position };
            let entry = Entry { stored, start, writer, key: None, plan };
            let claimed = entry.chain(fold.chain);
            assert_eq!(fold.push(&entry, claimed, 2, Duration::ZERO), Ok(()));
        }
    }

    /// What was dropped before it was read may have ended what was open.
    #[test]
    fn ids_and_plans_are_known_behind_events_that_were_not_read() {
        let mut known = Fold::begin_at(1);
        fold(&mut known, &[(1, "a", 1, 1), (2, "a", 2, 1), (3, "b", 1, 3)]);
        known.forget(Arc::from("before"), 0);
        known.restart_at(10);
        for gone in ["before", "a", "b"] {
            assert_eq!(known.progress(gone).index, MAX_INDEX, "{gone}");
        }
        assert_eq!((known.oldest(), known.head, known.open().count()), (10, 9, 0));
        assert_eq!(known.finished, [Arc::from("a"), Arc::from("b")]);
        fold(&mut known, &[(10, "c", 1, 10)]);
        assert_eq!(known.open().count(), 1);
    }

    /// A server that is never in charge does not keep everything that could be removed.
    #[test]
    fn what_others_remove_is_not_kept() {
        let mut known = Fold::begin_at(1);
        for number in 0..1_500 {
            let start = number * 2 + 1;
            let subject = format!("incident-{number}");
            fold(&mut known, &[(start, &subject, 1, start), (start + 1, &subject, 2, start)]);
        }
        known.evicted.push(Arc::from("x"));
        known.leave_to_others();
        assert_eq!((known.finished.len(), known.evicted.len()), (1_000, 0));
        assert_eq!(known.finished.back().map(|newest| &**newest), Some("incident-1499"));
    }
}
