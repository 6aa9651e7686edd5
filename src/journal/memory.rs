//! The engine that keeps all events in memory, until the process ends.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::admission::{self, Admitted, IncidentProgress, Lookup};
use super::ages::Ages;
use super::choice::Choice;
use super::clock::{Clock, Found, Moment, Times};
use super::error::{JournalError, Trouble};
use super::handle::Journal;
use super::lease::{Lease, Term};
use super::log::{
    Append, Extent, Health, IncidentIndex, Leases, Log, OpenIncident, Pending, ReadLimit, Register,
    Retention, Span,
};
use super::plans::{self, KeptPlan};
use super::record::{Appended, Batch, Key, KeyedEvent, Place, Record, Stored};
use super::time_source::{MachineClocks, TimeSource};
use crate::contract::{MAX_INDEX, Role, StreamId};

/// The location `memory`.
pub(super) const CHOICE: Choice = Choice {
    claims: |location| location == Path::new("memory"),
    open: |_, retention| Ok(Journal::new(Memory::new(StreamId::fresh(), retention))),
    is_durable: false,
};

/// A journal in memory.
#[derive(Debug)]
pub struct Memory {
    stream: StreamId,
    most: usize,
    clock: Arc<Clock>,
    events: Arc<Mutex<Events>>,
    extent: watch::Sender<Extent>,
    commits: AtomicU64,
    health: watch::Sender<Option<Trouble>>,
    newest_term: watch::Sender<Term>,
}

#[derive(Debug)]
struct Events {
    clock: Arc<Clock>,
    ages: Ages,
    /// The events that are kept. Their positions are consecutive.
    kept: VecDeque<Stored>,
    head: u64,
    /// The incidents with at least one kept event.
    incidents: HashMap<Arc<str>, Incident>,
    /// The ends of incidents of which only the id is kept, and these ids in the order in which they were dropped.
    over: HashMap<Arc<str>, u64>,
    ended: VecDeque<Arc<str>>,
    /// The keys of published events, by publisher and id. A key is kept as long as its event.
    keys: HashMap<(String, String), KeyedEvent>,
    /// The same keys in order of their events' positions.
    keyed: VecDeque<(u64, (String, String))>,
}

/// The most ids of incidents that are kept longer than their events, so that none of them is used again.
const IDS: usize = 10_000;

#[derive(Debug, Default)]
struct Incident {
    /// Position of each event, by index - 1.
    positions: Vec<u64>,
    /// The moment of its newest event.
    last: Option<Moment>,
    ended: bool,
    plan: Option<KeptPlan>,
}

impl Incident {
    fn span(&self, subject: &str) -> Option<Span> {
        Some(Span { subject: subject.to_owned(), start: *self.positions.first()?, end: self.end() })
    }

    fn end(&self) -> Option<u64> {
        self.positions.last().copied().filter(|_| self.ended)
    }
}

impl Memory {
    /// An empty journal: a new stream.
    pub fn new(stream: StreamId, retention: Retention) -> Self {
        Self::with_clocks(stream, retention, Arc::new(MachineClocks::new()))
    }

    /// An empty journal that reads the time from `source`.
    pub fn with_clocks(stream: StreamId, retention: Retention, source: Arc<dyn TimeSource>) -> Self {
        let Ok(clock) = Clock::new(source, |_| Ok::<_, Infallible>(Found::default()));
        let clock = Arc::new(clock);
        let events = Events {
            clock: Arc::clone(&clock),
            ages: Ages::new(retention.age),
            kept: VecDeque::new(),
            head: 0,
            incidents: HashMap::new(),
            over: HashMap::new(),
            ended: VecDeque::new(),
            keys: HashMap::new(),
            keyed: VecDeque::new(),
        };
        Self {
            stream,
            most: retention.events,
            clock,
            events: Arc::new(Mutex::new(events)),
            extent: watch::channel(Extent { oldest: 1, head: 0 }).0,
            commits: AtomicU64::new(0),
            health: watch::channel(None).0,
            newest_term: watch::channel(Term::default()).0,
        }
    }

    fn append_now(&self, batch: Batch) -> Result<Vec<Appended>, JournalError> {
        let mut events = self.events.lock();
        let before = events.head;
        admission::check_lease(&batch, *self.newest_term.borrow())?;
        let admitted = match admission::admit_expected(&batch, &*events) {
            Ok(admitted) => admitted?,
            Err(never) => match never {},
        };
        let Ok(appended) = admission::insert_new(batch.records, &admitted, |record, index| {
            Ok::<_, Infallible>(events.push(record, index))
        });
        events.retain(self.most, before);
        let extent = events.extent();
        // While the lock is held, so that a follower never sees an older extent after a newer one.
        self.extent.send_if_modified(|seen| std::mem::replace(seen, extent) != extent);
        if admitted.iter().any(|admitted| matches!(admitted, Admitted::New { .. })) {
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(appended)
    }

    /// Deflates the plan of an incident, soon; never, if there is no runtime that has threads for that.
    fn deflate(&self, subject: String) {
        let Ok(runtime) = Handle::try_current() else { return };
        let events = Arc::clone(&self.events);
        runtime.spawn_blocking(move || {
            let plan =
                events.lock().incidents.get(subject.as_str()).and_then(|incident| incident.plan.clone());
            let Some(plan) = plan.map(KeptPlan::deflated) else { return };
            // It may have ended meanwhile.
            let mut events = events.lock();
            let kept = events.incidents.get_mut(subject.as_str()).and_then(|incident| incident.plan.as_mut());
            if let Some(kept) = kept {
                *kept = plan;
            }
        });
    }
}

impl Lookup for Events {
    type Error = Infallible;

    fn progress(&self, subject: &str) -> Result<IncidentProgress, Infallible> {
        let known = self
            .incidents
            .get(subject)
            .map(|incident| IncidentProgress { index: incident.positions.len() as u64, end: incident.end() });
        let over =
            || self.over.get(subject).map(|end| IncidentProgress { index: MAX_INDEX, end: Some(*end) });
        Ok(known.or_else(over).unwrap_or_default())
    }

    fn position(&self, subject: &str, index: u64) -> Result<Option<u64>, Infallible> {
        let incident = self.incidents.get(subject);
        let position = incident.and_then(|incident| incident.positions.get(index as usize - 1).copied());
        Ok(position.filter(|position| *position >= self.extent().oldest))
    }

    fn by_key(&self, key: &Key) -> Result<Option<KeyedEvent>, Infallible> {
        Ok(self.keys.get(&(key.source.clone(), key.id.clone())).copied())
    }
}

impl Events {
    fn extent(&self) -> Extent {
        Extent { oldest: self.head + 1 - self.kept.len() as u64, head: self.head }
    }

    fn push(&mut self, record: Record, index: u64) -> u64 {
        self.head += 1;
        let subject: Arc<str> = record.subject.into();
        let incident = self.incidents.entry(Arc::clone(&subject)).or_default();
        incident.positions.push(self.head);
        let moment = self.clock.stamp(incident.last);
        incident.last = Some(moment);
        if let Some(text) = record.plan {
            incident.plan = Some(KeptPlan::Plain(text));
        }
        if record.kind.role() == Role::End {
            incident.ended = true;
            // An ended incident is never picked up.
            incident.plan = None;
        }
        if let Place::Next(Key { source, id, digest }) = record.place {
            let keyed = KeyedEvent { position: self.head, index, digest };
            self.keys.insert((source.clone(), id.clone()), keyed);
            self.keyed.push_back((self.head, (source, id)));
        }
        self.kept.push_back(Stored {
            position: self.head,
            time: moment.time,
            subject,
            index,
            kind: record.kind,
            data: record.data,
        });
        self.head
    }

    /// The open incidents without their plans, and the plans.
    fn open(&self) -> (Vec<OpenIncident>, Vec<Option<KeptPlan>>) {
        let open = self.incidents.iter().filter(|(_, incident)| !incident.ended);
        let open = open.filter_map(|(subject, incident)| {
            let (start, index) = (*incident.positions.first()?, incident.positions.len() as u64);
            let (subject, time) = (subject.to_string(), incident.last?.time);
            Some((OpenIncident { subject, start, index, time, age: None, plan: None }, incident.plan.clone()))
        });
        open.unzip()
    }

    /// Keeps at most `most` events, but all that were added after the position `before`.
    fn retain(&mut self, most: usize, before: u64) {
        let steady = self.clock.steady();
        let expired = self.ages.expired(&self.clock);
        self.ages.stored(self.head, steady);
        while let Some(oldest) = self.kept.front().filter(|oldest| oldest.position <= before) {
            if self.kept.len() <= most && oldest.position > expired {
                break;
            }
            let Some(incident) = self.incidents.get(&oldest.subject) else { break };
            if !incident.ended {
                break;
            }
            if incident.positions.last() == Some(&oldest.position) {
                self.incidents.remove(&oldest.subject);
                self.over.insert(Arc::clone(&oldest.subject), oldest.position);
                self.ended.push_back(Arc::clone(&oldest.subject));
                if self.ended.len() > IDS
                    && let Some(first) = self.ended.pop_front()
                {
                    self.over.remove(&first);
                }
            }
            self.kept.pop_front();
        }
        let oldest = self.extent().oldest;
        while let Some((position, key)) = self.keyed.front()
            && *position < oldest
        {
            self.keys.remove(key);
            self.keyed.pop_front();
        }
    }
}

impl Append for Memory {
    fn append(&self, batch: Batch) -> Pending<'_, Vec<Appended>> {
        Box::pin(async move {
            let plans = batch.records.iter().filter(|record| record.plan.is_some());
            let plans: Vec<String> = plans.map(|record| record.subject.clone()).collect();
            let appended = self.append_now(batch)?;
            for subject in plans {
                self.deflate(subject);
            }
            Ok(appended)
        })
    }
}

impl Log for Memory {
    fn stream(&self) -> &StreamId {
        &self.stream
    }

    fn read(&self, after: u64, limit: ReadLimit) -> Pending<'_, Vec<Stored>> {
        Box::pin(async move {
            let events = self.events.lock();
            let skip = (after + 1).saturating_sub(events.extent().oldest) as usize;
            let mut bytes = 0;
            let page = events.kept.iter().skip(skip).take(limit.events).take_while(|event| {
                let fits = bytes < limit.bytes;
                bytes += event.data.get().len();
                fits
            });
            Ok(page.cloned().collect())
        })
    }

    fn extent(&self) -> Extent {
        *self.extent.borrow()
    }

    fn follow(&self) -> watch::Receiver<Extent> {
        self.extent.subscribe()
    }
}

impl Health for Memory {
    fn health(&self) -> watch::Receiver<Option<Trouble>> {
        self.health.subscribe()
    }

    fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }
}

impl IncidentIndex for Memory {
    fn open_incidents(&self) -> Pending<'_, Vec<OpenIncident>> {
        Box::pin(async move {
            let (mut open, plans) = self.events.lock().open();
            for (incident, plan) in open.iter_mut().zip(plans::texts(plans).await?) {
                incident.plan = plan;
            }
            open.sort_by_key(|incident| incident.start);
            Ok(open)
        })
    }

    fn open_without_plan(&self) -> Pending<'_, Vec<Span>> {
        let events = self.events.lock();
        let open = events.incidents.iter().filter(|(_, incident)| !incident.ended && incident.plan.is_none());
        let mut open: Vec<_> = open.filter_map(|(subject, incident)| incident.span(subject)).collect();
        open.sort_by_key(|span| span.start);
        Box::pin(async move { Ok(open) })
    }

    fn incidents(&self, limit: usize) -> Pending<'_, Vec<Span>> {
        Box::pin(async move {
            let events = self.events.lock();
            let spans = events.incidents.iter().filter_map(|(subject, incident)| incident.span(subject));
            let mut spans: Vec<_> = spans.collect();
            spans.sort_by_key(|span| span.start);
            Ok(spans.split_off(spans.len().saturating_sub(limit)))
        })
    }

    fn incident(&self, subject: &str) -> Pending<'_, Option<Span>> {
        let found = self.events.lock().incidents.get(subject).and_then(|incident| incident.span(subject));
        Box::pin(async move { Ok(found) })
    }

    fn is_taken(&self, subject: &str) -> Pending<'_, bool> {
        let Ok(known) = self.events.lock().progress(subject);
        Box::pin(async move { Ok(known.index > 0) })
    }

    fn times(&self) -> Times {
        let events = self.events.lock();
        let open = events.incidents.iter().filter(|(_, incident)| !incident.ended);
        self.clock.times(open.filter_map(|(subject, incident)| Some((subject, incident.last?))))
    }

    fn ahead_in(&self, subject: &str) -> Duration {
        self.clock.ahead_after(self.events.lock().incidents.get(subject).and_then(|known| known.last))
    }

    fn plan(&self, subject: &str) -> Pending<'_, Option<Arc<str>>> {
        let plan = self.events.lock().incidents.get(subject).and_then(|incident| incident.plan.clone());
        Box::pin(async move { Ok(plans::texts(vec![plan]).await?.pop().flatten()) })
    }

    fn keyed(&self, names: Vec<(String, String)>) -> Pending<'_, Vec<Option<KeyedEvent>>> {
        let events = self.events.lock();
        let found = names.iter().map(|name| events.keys.get(name).copied()).collect();
        Box::pin(async move { Ok(found) })
    }
}

/// It belongs to this process alone.
impl Register for Memory {}

impl Leases for Memory {
    fn lease(&self) -> Pending<'_, Lease> {
        Box::pin(async move {
            // The lock that appends hold: no append is in progress when the term changes.
            let _events = self.events.lock();
            self.newest_term.send_modify(|newest| newest.0 += 1);
            let term = *self.newest_term.borrow();
            Ok(Lease::new(term, self.newest_term.subscribe()))
        })
    }
}
