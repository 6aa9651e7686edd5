//! Appends that are counted and timed, whichever engine takes them and whichever caller makes them.

use std::sync::Arc;
use std::time::Instant;

use crate::contract::{Message, Outcome, Role};
use crate::journal::{Append, Appended, Batch, Pending, Record};
use crate::metrics::Metrics;

/// The way into a journal, measured.
pub(super) struct Measured {
    appends: Arc<dyn Append>,
    metrics: Arc<Metrics>,
}

/// What is counted of a record, kept while the journal has the record.
enum Counted {
    Started,
    Ended(&'static str),
    Other,
}

impl Counted {
    fn of(record: &Record) -> Self {
        match record.kind.role() {
            Role::Start => Self::Started,
            Role::End => match Message::parse(record.kind.as_str(), &record.data) {
                Ok(Message::IncidentResolved(end)) => Self::Ended(end.outcome.as_str()),
                _ => Self::Ended(Outcome::Resolved.as_str()),
            },
            Role::Middle | Role::Control => Self::Other,
        }
    }
}

impl Measured {
    pub(super) fn new(appends: Arc<dyn Append>, metrics: Arc<Metrics>) -> Self {
        Self { appends, metrics }
    }

    fn count(&self, counted: &Counted) {
        match counted {
            Counted::Started => self.metrics.incident_started(),
            Counted::Ended(outcome) => self.metrics.incident_ended(outcome),
            Counted::Other => {}
        }
    }
}

impl Append for Measured {
    fn append(&self, batch: Batch) -> Pending<'_, Vec<Appended>> {
        Box::pin(async move {
            let counted: Vec<_> = batch.records.iter().map(Counted::of).collect();
            let began = Instant::now();
            let appended = self.appends.append(batch).await;
            let took = began.elapsed();
            match &appended {
                Ok(appended) => {
                    let new = counted.iter().zip(appended).filter(|(_, appended)| appended.new);
                    let events = new.map(|(record, _)| self.count(record)).count();
                    self.metrics.appended(events as u64, took);
                }
                Err(_) => self.metrics.append_failed(),
            }
            appended
        })
    }
}
