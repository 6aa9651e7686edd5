//! What one transaction does with the batches that waited: each goes in whole or not at all.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, Transaction, params};

use super::super::admission::{self, Keyed, Known, Reached};
use super::super::clock::Clock;
use super::super::error::JournalError;
use super::super::lease::Term;
use super::super::record::{Appended, Batch, Key, Place, Record, Stored};
use super::chain::{self, Row};
use super::head::Head;
use super::{events, keys};
use crate::contract::Role;

/// What became of a batch.
pub(super) type Answer = Result<Vec<Appended>, JournalError>;

/// Index of the newest event of every incident that is open. The events have no index by incident: what is appended
/// to is in here, and what has ended can be found by its end.
pub(super) type Open = HashMap<Arc<str>, u64>;

/// What a transaction adds to what is known.
#[derive(Default)]
pub(super) struct Changes {
    reached: HashMap<Arc<str>, Reached>,
    events: Vec<Stored>,
}

impl Changes {
    /// Takes over what is committed; the new events.
    pub(super) fn apply(self, open: &mut Open) -> Vec<Stored> {
        for (subject, reached) in self.reached {
            if reached.end.is_some() {
                open.remove(&subject);
            } else {
                open.insert(subject, reached.index);
            }
        }
        self.events
    }
}

/// One transaction at work.
pub(super) struct Commit<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) open: &'a Open,
    pub(super) clock: &'a mut Clock,
    /// Of the newest lease.
    pub(super) term: Term,
    /// Moves with the events.
    pub(super) head: Head,
    pub(super) changes: Changes,
}

impl Commit<'_> {
    /// Inserts a batch if it can be inserted, and says what became of it.
    ///
    /// # Errors
    /// When the file fails: then nothing of the transaction is in.
    pub(super) fn take(&mut self, batch: Batch) -> rusqlite::Result<Answer> {
        if let Err(refused) = admission::check_lease(&batch, self.term) {
            return Ok(Err(refused));
        }
        match admission::admit(&batch.records, self)? {
            Ok(admitted) => {
                admission::insert(batch.records, &admitted, |record, index| self.insert_one(record, index))
                    .map(Ok)
            }
            Err(refused) => Ok(Err(refused)),
        }
    }

    fn insert_one(&mut self, record: Record, index: u64) -> rusqlite::Result<u64> {
        let Record { subject, place, kind, data, plan } = record;
        let (position, time) = (self.head.position + 1, self.clock.tick());
        let row = Row {
            position,
            time_us: time.as_microsecond(),
            subject: &subject,
            index,
            kind: kind.as_str(),
            data: data.get(),
        };
        self.head.checksum = events::insert(self.transaction, self.head.checksum, &row)?;
        self.head.position = position;
        if let Place::Next(key) = &place {
            keys::insert(self.transaction, key, position)?;
        }
        if index == 1 {
            self.transaction.execute(
                "INSERT INTO incidents (subject, start, ended, plan, plan_checksum) VALUES (?1, ?2, 0, ?3, ?4)",
                params![subject, position, plan, plan.as_deref().map(chain::of_text)],
            )?;
        }
        let ended = kind.role() == Role::End;
        if ended {
            self.transaction
                .execute("UPDATE incidents SET ended = ?2 WHERE subject = ?1", params![subject, position])?;
        }
        let subject = match self.open.get_key_value(subject.as_str()) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::from(subject),
        };
        let end = ended.then_some(position);
        self.changes.reached.insert(Arc::clone(&subject), Reached { index, end });
        self.changes.events.push(Stored { position, time, subject, index, kind, data });
        Ok(position)
    }
}

impl Known for Commit<'_> {
    type Error = rusqlite::Error;

    fn reached(&self, subject: &str) -> rusqlite::Result<Reached> {
        if let Some(reached) = self.changes.reached.get(subject) {
            return Ok(*reached);
        }
        if let Some(index) = self.open.get(subject) {
            return Ok(Reached { index: *index, end: None });
        }
        let ended = self
            .transaction
            .prepare_cached(
                "SELECT e.idx, i.ended FROM incidents i JOIN events e ON e.position = i.ended WHERE i.subject = ?1",
            )?
            .query_row([subject], |row| Ok(Reached { index: row.get(0)?, end: Some(row.get(1)?) }))
            .optional()?;
        Ok(ended.unwrap_or_default())
    }

    /// Repeats are rare and mostly of what came last: this reads the table backwards.
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

    fn keyed(&self, key: &Key) -> rusqlite::Result<Option<Keyed>> {
        keys::find(self.transaction, key)
    }
}
