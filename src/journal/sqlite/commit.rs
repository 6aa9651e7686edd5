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

/// How far an incident is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Reached {
    /// Index of its newest event, 0 before the first.
    index: u64,
    ended: bool,
}

/// What is known of incidents without asking the file: those that are open and were appended to.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<String, Reached>);

impl Known {
    /// Forgets everything: the file is asked again.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn reached(&self, transaction: &Transaction<'_>, subject: &str) -> rusqlite::Result<Reached> {
        if let Some(reached) = self.0.get(subject) {
            return Ok(*reached);
        }
        let index: Option<u64> = transaction
            .prepare_cached("SELECT max(idx) FROM events WHERE subject = ?1")?
            .query_row([subject], |row| row.get(0))?;
        let ended: Option<u64> = transaction
            .prepare_cached("SELECT ended FROM incidents WHERE subject = ?1")?
            .query_row([subject], |row| row.get(0))
            .optional()?;
        Ok(Reached { index: index.unwrap_or(0), ended: ended.is_some_and(|ended| ended > 0) })
    }

    fn note(&mut self, subject: &str, reached: Reached) {
        if reached.ended {
            // Nobody appends to it any more.
            self.0.remove(subject);
        } else if let Some(known) = self.0.get_mut(subject) {
            *known = reached;
        } else {
            self.0.insert(subject.to_owned(), reached);
        }
    }
}

/// Inserts what can be inserted and says of each batch what became of it. `head` moves with the events.
///
/// # Errors
/// When the file fails: then nothing is in, and `known` has to be cleared.
pub(super) fn batches(
    transaction: &Transaction<'_>,
    batches: &[&[Record]],
    head: &mut Head,
    known: &mut Known,
    clock: &mut Clock,
) -> rusqlite::Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(batches.len());
    for batch in batches {
        outcomes.push(match check(transaction, batch, known)? {
            Ok(()) => Ok(insert(transaction, batch, head, known, clock)?),
            Err(refused) => Err(refused),
        });
    }
    Ok(outcomes)
}

/// All of a batch or nothing: refuses it before anything of it is in.
fn check(
    transaction: &Transaction<'_>,
    batch: &[Record],
    known: &Known,
) -> rusqlite::Result<Result<(), JournalError>> {
    let mut ahead: HashMap<&str, Reached> = HashMap::new();
    for record in batch {
        if let Err(refused) = record.check() {
            return Ok(Err(refused));
        }
        let subject = record.subject.as_str();
        let stored = known.reached(transaction, subject)?;
        let reached = ahead.entry(subject).or_insert(stored);
        if let Err(refused) = record.follows(reached.index, reached.ended) {
            return Ok(Err(refused));
        }
        if record.index <= stored.index && position_of(transaction, record)?.is_none() {
            let why = format!("event {} of {subject} was dropped by retention", record.index);
            return Ok(Err(JournalError::Refused(why)));
        }
        reached.index = record.index.max(reached.index);
        reached.ended |= record.kind == MessageType::IncidentResolved;
    }
    Ok(Ok(()))
}

/// Where an event is, if it is in.
fn position_of(transaction: &Transaction<'_>, record: &Record) -> rusqlite::Result<Option<u64>> {
    transaction
        .prepare_cached("SELECT position FROM events WHERE subject = ?1 AND idx = ?2")?
        .query_row(params![record.subject, record.index], |row| row.get(0))
        .optional()
}

fn insert(
    transaction: &Transaction<'_>,
    batch: &[Record],
    head: &mut Head,
    known: &mut Known,
    clock: &mut Clock,
) -> rusqlite::Result<Vec<u64>> {
    let mut positions = Vec::with_capacity(batch.len());
    for record in batch {
        let reached = known.reached(transaction, &record.subject)?;
        if record.index <= reached.index
            && let Some(position) = position_of(transaction, record)?
        {
            positions.push(position);
            continue;
        }
        let row = Row {
            position: head.position + 1,
            time_us: clock.tick().as_microsecond(),
            subject: &record.subject,
            index: record.index,
            kind: record.kind.as_str(),
            data: record.data.get(),
        };
        let checksum = events::insert(transaction, head.checksum, &row)?;
        if record.index == 1 {
            let plan = record.plan.as_deref();
            transaction.execute(
                "INSERT INTO incidents (subject, start, ended, plan, plan_checksum) VALUES (?1, ?2, 0, ?3, ?4)",
                params![record.subject, row.position, plan, plan.map(chain::of_text)],
            )?;
        }
        let ended = record.kind == MessageType::IncidentResolved;
        if ended {
            transaction.execute(
                "UPDATE incidents SET ended = ?2 WHERE subject = ?1",
                params![record.subject, row.position],
            )?;
        }
        known.note(&record.subject, Reached { index: record.index, ended });
        (head.position, head.checksum) = (row.position, checksum);
        positions.push(row.position);
    }
    Ok(positions)
}
