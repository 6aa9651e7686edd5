//! The engine that keeps everything in memory, for as long as the process lives.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;
use tokio::sync::watch;

use super::clock::Clock;
use super::{Extent, Journal, JournalError, OpenIncident, Page, Pending, Record, Retention, Span, Stored};
use crate::contract::{MessageType, StreamId};

/// A journal in memory.
#[derive(Debug)]
pub struct Memory {
    stream: StreamId,
    retention: Retention,
    log: Mutex<Log>,
    extent: watch::Sender<Extent>,
    commits: AtomicU64,
    health: watch::Sender<Option<String>>,
}

#[derive(Debug)]
struct Log {
    clock: Clock,
    /// Positions are consecutive: the place of one follows from the front's.
    events: VecDeque<Stored>,
    head: u64,
    /// Incidents with at least one event that is kept.
    incidents: HashMap<Arc<str>, Incident>,
}

#[derive(Debug)]
struct Incident {
    /// Position of each event, by index - 1. Gapless, so a repeat is found at once.
    positions: Vec<u64>,
    ended: bool,
    plan: Option<Arc<str>>,
}

impl Incident {
    fn span(&self, subject: &str) -> Option<Span> {
        let end = self.positions.last().copied().filter(|_| self.ended);
        Some(Span { subject: subject.to_owned(), start: *self.positions.first()?, end })
    }
}

impl Memory {
    /// An empty journal: a new stream.
    pub fn new(stream: StreamId, retention: Retention) -> Self {
        let (extent, _) = watch::channel(Extent { oldest: 1, head: 0 });
        let log = Log { clock: Clock::new(), events: VecDeque::new(), head: 0, incidents: HashMap::new() };
        let (log, commits, health) = (Mutex::new(log), AtomicU64::new(0), watch::channel(None).0);
        Self { stream, retention, log, extent, commits, health }
    }

    /// Every operation leaves the log whole before it can panic: a poisoned lock is taken all the same.
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append_now(&self, batch: Vec<Record>) -> Result<Vec<u64>, JournalError> {
        let mut log = self.log();
        log.check(&batch)?;
        let positions = batch.into_iter().map(|record| log.push(record)).collect();
        log.retain(self.retention);
        let extent = log.extent();
        // Under the lock: a follower never sees an older extent after a newer one.
        if self.extent.send_if_modified(|seen| std::mem::replace(seen, extent) != extent) {
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(positions)
    }
}

impl Log {
    fn extent(&self) -> Extent {
        Extent { oldest: self.head + 1 - self.events.len() as u64, head: self.head }
    }

    /// All or nothing: refuses the batch before anything of it is in.
    fn check(&self, batch: &[Record]) -> Result<(), JournalError> {
        let mut ahead: HashMap<&str, (u64, bool)> = HashMap::new();
        for record in batch {
            record.check()?;
            let stored = || {
                let known = self.incidents.get(record.subject.as_str());
                known.map_or((0, false), |known| (known.positions.len() as u64, known.ended))
            };
            let (has, ended) = ahead.entry(&record.subject).or_insert_with(stored);
            record.follows(*has, *ended)?;
            *has = record.index.max(*has);
            *ended |= record.kind == MessageType::IncidentResolved;
        }
        Ok(())
    }

    fn push(&mut self, record: Record) -> u64 {
        let place = record.index as usize - 1;
        let subject: Arc<str> = record.subject.into();
        let new = || Incident { positions: Vec::new(), ended: false, plan: None };
        let incident = self.incidents.entry(Arc::clone(&subject)).or_insert_with(new);
        if let Some(position) = incident.positions.get(place) {
            return *position;
        }
        self.head += 1;
        incident.positions.push(self.head);
        if record.plan.is_some() {
            incident.plan = record.plan;
        }
        if record.kind == MessageType::IncidentResolved {
            // Nobody picks up what has ended.
            incident.ended = true;
            incident.plan = None;
        }
        self.events.push_back(Stored {
            position: self.head,
            time: self.clock.tick(),
            subject,
            index: record.index,
            kind: record.kind,
            data: record.data,
        });
        self.head
    }

    fn retain(&mut self, Retention { events, age }: Retention) {
        let age = age.and_then(|age| SignedDuration::try_from(age).ok());
        let young = age.and_then(|age| self.clock.tick().checked_sub(age).ok());
        while let Some(oldest) = self.events.front() {
            if self.events.len() <= events && young.is_none_or(|young| oldest.time >= young) {
                return;
            }
            let Some(incident) = self.incidents.get(&oldest.subject) else { return };
            if !incident.ended {
                return;
            }
            if incident.positions.last() == Some(&oldest.position) {
                self.incidents.remove(&oldest.subject);
            }
            self.events.pop_front();
        }
    }
}

impl Journal for Memory {
    fn stream(&self) -> &StreamId {
        &self.stream
    }

    fn append(&self, batch: Vec<Record>) -> Pending<'_, Vec<u64>> {
        Box::pin(async move { self.append_now(batch) })
    }

    fn read(&self, after: u64, page: Page) -> Pending<'_, Vec<Stored>> {
        Box::pin(async move {
            let log = self.log();
            let skip = (after + 1).saturating_sub(log.extent().oldest) as usize;
            let mut bytes = 0;
            let events = log.events.iter().skip(skip).take(page.events).take_while(|event| {
                let fits = bytes < page.bytes;
                bytes += event.data.get().len();
                fits
            });
            Ok(events.cloned().collect())
        })
    }

    fn extent(&self) -> Extent {
        *self.extent.borrow()
    }

    fn follow(&self) -> watch::Receiver<Extent> {
        self.extent.subscribe()
    }

    fn health(&self) -> watch::Receiver<Option<String>> {
        self.health.subscribe()
    }

    fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    fn open_incidents(&self) -> Pending<'_, Vec<OpenIncident>> {
        Box::pin(async move {
            let log = self.log();
            let open = log.incidents.iter().filter(|(_, incident)| !incident.ended);
            let mut open = open
                .filter_map(|(subject, incident)| {
                    Some(OpenIncident {
                        subject: subject.to_string(),
                        start: *incident.positions.first()?,
                        index: incident.positions.len() as u64,
                        plan: incident.plan.clone(),
                    })
                })
                .collect::<Vec<_>>();
            open.sort_by_key(|incident| incident.start);
            Ok(open)
        })
    }

    fn incidents(&self, limit: usize) -> Pending<'_, Vec<Span>> {
        Box::pin(async move {
            let log = self.log();
            let mut spans: Vec<_> =
                log.incidents.iter().filter_map(|(subject, incident)| incident.span(subject)).collect();
            spans.sort_by_key(|span| span.start);
            Ok(spans.split_off(spans.len().saturating_sub(limit)))
        })
    }

    fn incident(&self, subject: &str) -> Pending<'_, Option<Span>> {
        let subject = subject.to_owned();
        Box::pin(async move {
            let log = self.log();
            Ok(log.incidents.get(subject.as_str()).and_then(|incident| incident.span(&subject)))
        })
    }
}
