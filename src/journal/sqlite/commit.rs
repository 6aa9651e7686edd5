//! One transaction: inserts the batches that were waiting, each as a whole or not at all.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, Transaction, params};

use super::super::admission::{self, IncidentProgress, Lookup};
use super::super::clock::{Clock, Moment};
use super::super::error::JournalError;
use super::super::lease::Term;
use super::super::record::{Appended, Batch, Key, KeyedEvent, Place, Record, Stored};
use super::chain::{self, Row};
use super::events::Insert;
use super::head::Head;
use super::{ended, keys};
use crate::contract::{MAX_INDEX, Role};

/// The result of appending a batch.
pub(super) type Answer = Result<Vec<Appended>, JournalError>;

/// The newest event of an open incident.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newest {
    pub(super) index: u64,
    pub(super) moment: Moment,
}

/// The newest event of every open incident. The table of events has no database index by incident: an open
/// incident is found in this map, and an ended one through the position of its resolution.
pub(super) type Open = HashMap<Arc<str>, Newest>;

/// What a transaction adds to the state in memory, once it is committed.
#[derive(Default)]
pub(super) struct Changes {
    progress: HashMap<Arc<str>, (IncidentProgress, Moment)>,
    events: Vec<Stored>,
}

impl Changes {
    /// Updates the open incidents after the commit. Returns the new events.
    pub(super) fn apply(self, open: &mut Open) -> Vec<Stored> {
        for (subject, (IncidentProgress { index, end }, moment)) in self.progress {
            if end.is_some() {
                open.remove(&subject);
            } else {
                open.insert(subject, Newest { index, moment });
            }
        }
        self.events
    }
}

/// A transaction in progress.
pub(super) struct Commit<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) insert: Insert<'a>,
    pub(super) open: &'a Open,
    pub(super) clock: &'a Clock,
    /// The term of the newest lease.
    pub(super) term: Term,
    /// The head, including the events inserted so far.
    pub(super) head: Head,
    pub(super) changes: Changes,
}

impl Commit<'_> {
    /// Inserts a batch if it is admitted, and returns the answer for its caller.
    ///
    /// # Errors
    /// The file cannot be written. Then no batch of the transaction is in the journal.
    pub(super) fn take(&mut self, batch: Batch) -> rusqlite::Result<Answer> {
        if let Err(refused) = admission::check_lease(&batch, self.term) {
            return Ok(Err(refused));
        }
        match admission::admit_expected(&batch, self)? {
            Ok(admitted) => admission::insert_new(batch.records, &admitted, |record, index| {
                self.insert_one(record, index)
            })
            .map(Ok),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// The head and the changes. Gives the statement back: the transaction can't be committed while it is borrowed.
    pub(super) fn finish(self) -> (Head, Changes) {
        (self.head, self.changes)
    }

    fn insert_one(&mut self, record: Record, index: u64) -> rusqlite::Result<u64> {
        let Record { subject, place, kind, data, plan } = record;
        let position = self.head.position + 1;
        let here = self.changes.progress.get(subject.as_str()).map(|(_, moment)| *moment);
        let last = here.or_else(|| self.open.get(subject.as_str()).map(|newest| newest.moment));
        let moment = self.clock.stamp(last);
        let time = moment.time;
        let row = Row {
            position,
            time_us: time.as_microsecond(),
            subject: &subject,
            index,
            kind: kind.as_str(),
            data: data.get(),
        };
        self.head.checksum = self.insert.row(self.head.checksum, &row)?;
        self.head.position = position;
        if let Place::Next(key) = &place {
            keys::insert(self.transaction, key, position)?;
        }
        if index == 1 {
            self.transaction
                .prepare_cached(
                    "INSERT INTO incidents (subject, start, ended, plan, plan_checksum) VALUES (?1, ?2, 0, ?3, ?4)",
                )?
                .execute(params![subject, position, plan, chain::of_plan(&subject, plan.as_deref())])?;
        }
        let ended = kind.role() == Role::End;
        if ended {
            ended::end(self.transaction, &subject, position)?;
        }
        let subject = match self.open.get_key_value(subject.as_str()) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::from(subject),
        };
        let end = ended.then_some(position);
        self.changes.progress.insert(Arc::clone(&subject), (IncidentProgress { index, end }, moment));
        self.changes.events.push(Stored { position, time, subject, index, kind, data });
        Ok(position)
    }
}

impl Lookup for Commit<'_> {
    type Error = rusqlite::Error;

    fn progress(&self, subject: &str) -> rusqlite::Result<IncidentProgress> {
        if let Some((progress, _)) = self.changes.progress.get(subject) {
            return Ok(*progress);
        }
        if let Some(newest) = self.open.get(subject) {
            return Ok(IncidentProgress { index: newest.index, end: None });
        }
        let ended = self
            .transaction
            .prepare_cached(
                "SELECT e.idx, i.ended FROM incidents i LEFT JOIN events e ON e.position = i.ended
                 WHERE i.subject = ?1",
            )?
            .query_row([subject], |row| {
                // Of some incidents only the id is kept.
                let index = row.get::<_, Option<u64>>(0)?.unwrap_or(MAX_INDEX);
                Ok(IncidentProgress { index, end: Some(row.get(1)?) })
            })
            .optional()?;
        Ok(ended.unwrap_or_default())
    }

    /// Reads the table backwards: repeats are rare, and most of them repeat recent events.
    fn position(&self, subject: &str, index: u64) -> rusqlite::Result<Option<u64>> {
        self.transaction
            .prepare_cached(
                "SELECT e.position FROM incidents i
                 JOIN events e ON e.position BETWEEN i.start AND iif(i.ended > 0, i.ended, ?3)
                 WHERE i.subject = ?1 AND e.subject = ?1 AND e.idx = ?2 ORDER BY e.position DESC LIMIT 1",
            )?
            .query_row(params![subject, index, self.head.position], |row| row.get(0))
            .optional()
    }

    fn by_key(&self, key: &Key) -> rusqlite::Result<Option<KeyedEvent>> {
        keys::find(self.transaction, key)
    }
}
