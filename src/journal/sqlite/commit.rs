//! What one transaction does with the batches that waited: each goes in whole or not at all.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, Transaction, params};

use super::super::clock::Clock;
use super::super::{JournalError, Record, Stored};
use super::chain::{self, Row};
use super::events;
use super::head::Head;
use super::writer::Outcome;
use crate::contract::MessageType;

/// Index of the newest event of every incident that is open. The events have no index by incident: what is appended
/// to is in here, and what has ended can be found by its end.
pub(super) type Open = HashMap<Arc<str>, u64>;

/// How far an incident is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Reached {
    /// Index of its newest event, 0 before the first.
    index: u64,
    ended: bool,
}

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
            if reached.ended {
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
    /// Moves with the events.
    pub(super) head: Head,
    pub(super) changes: Changes,
}

impl Commit<'_> {
    /// Inserts a batch if it can be inserted, and says what became of it.
    ///
    /// # Errors
    /// When the file fails: then nothing of the transaction is in.
    pub(super) fn take(&mut self, batch: Vec<Record>) -> rusqlite::Result<Outcome> {
        match self.check(&batch)? {
            Ok(()) => self.insert(batch).map(Ok),
            Err(refused) => Ok(Err(refused)),
        }
    }

    fn reached(&self, subject: &str) -> rusqlite::Result<Reached> {
        if let Some(reached) = self.changes.reached.get(subject) {
            return Ok(*reached);
        }
        if let Some(index) = self.open.get(subject) {
            return Ok(Reached { index: *index, ended: false });
        }
        let index: Option<u64> = self
            .transaction
            .prepare_cached(
                "SELECT e.idx FROM incidents i JOIN events e ON e.position = i.ended WHERE i.subject = ?1",
            )?
            .query_row([subject], |row| row.get(0))
            .optional()?;
        Ok(index.map_or_else(Reached::default, |index| Reached { index, ended: true }))
    }

    /// All of a batch or nothing: refuses it before anything of it is in.
    fn check(&self, batch: &[Record]) -> rusqlite::Result<Result<(), JournalError>> {
        // Almost always a batch is one event, or events of one incident.
        let mut ahead: Vec<(&str, u64, Reached)> = Vec::with_capacity(1);
        for record in batch {
            if let Err(refused) = record.check() {
                return Ok(Err(refused));
            }
            let subject = record.subject.as_str();
            let place = match ahead.iter().position(|(known, ..)| *known == subject) {
                Some(place) => place,
                None => {
                    let reached = self.reached(subject)?;
                    ahead.push((subject, reached.index, reached));
                    ahead.len() - 1
                }
            };
            let (_, stored, reached) = &mut ahead[place];
            if let Err(refused) = record.follows(reached.index, reached.ended) {
                return Ok(Err(refused));
            }
            if record.index <= *stored && self.position_of(record)?.is_none() {
                let why = format!("event {} of {subject} was dropped by retention", record.index);
                return Ok(Err(JournalError::Refused(why)));
            }
            reached.index = record.index.max(reached.index);
            reached.ended |= record.kind == MessageType::IncidentResolved;
        }
        Ok(Ok(()))
    }

    /// Where an event is, if it is in. Repeats are rare and mostly of what came last: this reads the table backwards.
    fn position_of(&self, record: &Record) -> rusqlite::Result<Option<u64>> {
        self.transaction
            .prepare_cached(
                "SELECT e.position FROM incidents i
                 JOIN events e ON e.position BETWEEN i.start AND iif(i.ended > 0, i.ended, ?3)
                 WHERE i.subject = ?1 AND e.subject = ?1 AND e.idx = ?2 ORDER BY e.position DESC LIMIT 1",
            )?
            .query_row(params![record.subject, record.index, self.head.position], |row| row.get(0))
            .optional()
    }

    fn insert(&mut self, batch: Vec<Record>) -> rusqlite::Result<Vec<u64>> {
        let mut positions = Vec::with_capacity(batch.len());
        for record in batch {
            let reached = self.reached(&record.subject)?;
            if record.index <= reached.index
                && let Some(position) = self.position_of(&record)?
            {
                positions.push(position);
                continue;
            }
            positions.push(self.insert_one(record)?);
        }
        Ok(positions)
    }

    fn insert_one(&mut self, record: Record) -> rusqlite::Result<u64> {
        let Record { subject, index, kind, data, plan } = record;
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
        if index == 1 {
            self.transaction.execute(
                "INSERT INTO incidents (subject, start, ended, plan, plan_checksum) VALUES (?1, ?2, 0, ?3, ?4)",
                params![subject, position, plan, plan.as_deref().map(chain::of_text)],
            )?;
        }
        let ended = kind == MessageType::IncidentResolved;
        if ended {
            self.transaction
                .execute("UPDATE incidents SET ended = ?2 WHERE subject = ?1", params![subject, position])?;
        }
        let subject = match self.open.get_key_value(subject.as_str()) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::from(subject),
        };
        self.changes.reached.insert(Arc::clone(&subject), Reached { index, ended });
        self.changes.events.push(Stored { position, time, subject, index, kind, data });
        Ok(position)
    }
}
