//! A journal whose appends are measured. One place for every engine, and for whoever appends.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use crate::contract::{Message, MessageType, Outcome, StreamId};
use crate::journal::{Extent, Journal, OpenIncident, Page, Pending, Record, Span, Stored};
use crate::metrics::Metrics;

/// Appends are counted and timed; everything else passes through.
pub(super) struct Measured {
    journal: Arc<dyn Journal>,
    metrics: Arc<Metrics>,
}

/// What counts in a record, kept while the journal has it.
enum Counted {
    Started,
    Ended(&'static str),
    Other,
}

impl Counted {
    fn of(record: &Record) -> Self {
        match record.kind {
            MessageType::IncidentStarted => Self::Started,
            MessageType::IncidentResolved => match Message::parse(record.kind.as_str(), &record.data) {
                Ok(Message::IncidentResolved(end)) if end.outcome == Outcome::Cancelled => {
                    Self::Ended("cancelled")
                }
                _ => Self::Ended("resolved"),
            },
            _ => Self::Other,
        }
    }
}

impl Measured {
    pub(super) fn new(journal: Arc<dyn Journal>, metrics: Arc<Metrics>) -> Self {
        Self { journal, metrics }
    }

    fn count(&self, counted: &Counted) {
        match counted {
            Counted::Started => self.metrics.incident_started(),
            Counted::Ended(outcome) => self.metrics.incident_ended(outcome),
            Counted::Other => {}
        }
    }
}

impl Journal for Measured {
    fn append(&self, batch: Vec<Record>) -> Pending<'_, Vec<u64>> {
        Box::pin(async move {
            let records: Vec<_> = batch.iter().map(Counted::of).collect();
            // A repeat keeps the position it had: it is no new event.
            let before = self.extent().head;
            let began = Instant::now();
            let appended = self.journal.append(batch).await;
            let took = began.elapsed();
            match &appended {
                Ok(positions) => {
                    let new = records.iter().zip(positions).filter(|(_, position)| **position > before);
                    let events = new.map(|(record, _)| self.count(record)).count();
                    self.metrics.appended(events as u64, took);
                }
                Err(_) => self.metrics.append_failed(),
            }
            appended
        })
    }

    fn stream(&self) -> &StreamId {
        self.journal.stream()
    }

    fn read(&self, after: u64, page: Page) -> Pending<'_, Vec<Stored>> {
        self.journal.read(after, page)
    }

    fn extent(&self) -> Extent {
        self.journal.extent()
    }

    fn follow(&self) -> watch::Receiver<Extent> {
        self.journal.follow()
    }

    fn health(&self) -> watch::Receiver<Option<String>> {
        self.journal.health()
    }

    fn commits(&self) -> u64 {
        self.journal.commits()
    }

    fn open_incidents(&self) -> Pending<'_, Vec<OpenIncident>> {
        self.journal.open_incidents()
    }

    fn incidents(&self, limit: usize) -> Pending<'_, Vec<Span>> {
        self.journal.incidents(limit)
    }

    fn incident(&self, subject: &str) -> Pending<'_, Option<Span>> {
        self.journal.incident(subject)
    }
}
