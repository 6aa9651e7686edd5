//! What one transaction does with the batches that waited: each goes in whole or not at all.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Transaction, params};

use super::super::clock::Clock;
use super::super::{JournalError, Record};
use super::chain::{self, Row};
use super::events;
use super::head::Head;
use super::writer::Outcome;
use crate::contract::MessageType;

/// Index of the newest event of every incident that is open. The events have no index by incident: what is appended
/// to is in here, and what has ended can be found by its end.
pub(super) type Open = HashMap<String, u64>;

/// How far an incident is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Reached {
    /// Index of its newest event, 0 before the first.
    index: u64,
    ended: bool,
}

/// What a transaction adds to what is known.
#[derive(Default)]
pub(super) struct Changes(HashMap<String, Reached>);

impl Changes {
    /// Takes over what is committed.
    pub(super) fn apply(self, open: &mut Open) {
        for (subject, reached) in self.0 {
            if reached.ended {
                open.remove(&subject);
            } else {
                open.insert(subject, reached.index);
            }
        }
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
    pub(super) fn take(&mut self, batch: &[Record]) -> rusqlite::Result<Outcome> {
        match self.check(batch)? {
            Ok(()) => self.insert(batch).map(Ok),
            Err(refused) => Ok(Err(refused)),
        }
    }

    fn reached(&self, subject: &str) -> rusqlite::Result<Reached> {
        if let Some(reached) = self.changes.0.get(subject) {
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

    fn insert(&mut self, batch: &[Record]) -> rusqlite::Result<Vec<u64>> {
        let mut positions = Vec::with_capacity(batch.len());
        for record in batch {
            let reached = self.reached(&record.subject)?;
            if record.index <= reached.index
                && let Some(position) = self.position_of(record)?
            {
                positions.push(position);
                continue;
            }
            positions.push(self.insert_one(record)?);
        }
        Ok(positions)
    }

    fn insert_one(&mut self, record: &Record) -> rusqlite::Result<u64> {
        let row = Row {
            position: self.head.position + 1,
            time_us: self.clock.tick().as_microsecond(),
            subject: &record.subject,
            index: record.index,
            kind: record.kind.as_str(),
            data: record.data.get(),
        };
        let checksum = events::insert(self.transaction, self.head.checksum, &row)?;
        if record.index == 1 {
            let plan = record.plan.as_deref();
            self.transaction.execute(
                "INSERT INTO incidents (subject, start, ended, plan, plan_checksum) VALUES (?1, ?2, 0, ?3, ?4)",
                params![record.subject, row.position, plan, plan.map(chain::of_text)],
            )?;
        }
        let ended = record.kind == MessageType::IncidentResolved;
        if ended {
            self.transaction.execute(
                "UPDATE incidents SET ended = ?2 WHERE subject = ?1",
                params![record.subject, row.position],
            )?;
        }
        let reached = Reached { index: record.index, ended };
        match self.changes.0.get_mut(&record.subject) {
            Some(known) => *known = reached,
            None => drop(self.changes.0.insert(record.subject.clone(), reached)),
        }
        (self.head.position, self.head.checksum) = (row.position, checksum);
        Ok(row.position)
    }
}
