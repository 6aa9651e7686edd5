//! The one thread that writes: everything that waits becomes one transaction.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use tokio::sync::{mpsc, oneshot, watch};

use super::super::clock::Clock;
use super::super::{Extent, JournalError, Record, Retention};
use super::chain::{self, Row};
use super::head::{Head, load, testify, verify};
use super::retain::retain;
use super::witness::{Told, Witness};
use super::{OpenError, schema};
use crate::contract::{MessageType, StreamId};

/// Records in one transaction: more would make the first wait for the last.
const GROUP: usize = 2_048;

/// A batch that waits, and who waits for it.
pub(super) struct Append {
    pub(super) batch: Vec<Record>,
    pub(super) reply: oneshot::Sender<Result<Vec<u64>, JournalError>>,
}

pub(super) struct Writer {
    connection: Connection,
    stream: StreamId,
    retention: Retention,
    head: Head,
    clock: Clock,
    witness: Witness,
    extent: watch::Sender<Extent>,
    health: watch::Sender<Option<String>>,
}

impl Writer {
    pub(super) fn open(path: &Path, retention: Retention) -> Result<Self, OpenError> {
        let unusable = |why: String| OpenError::Unusable { path: path.to_owned(), why };
        let damaged = |what: String| OpenError::Damaged { path: path.to_owned(), what };
        let sqlite = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                damaged(error.to_string())
            }
            _ => unusable(error.to_string()),
        };
        let mut connection = Connection::open(path).map_err(sqlite)?;
        let found = schema::version(&connection).map_err(sqlite)?;
        if found > schema::VERSION {
            return Err(OpenError::Newer { path: path.to_owned(), found, known: schema::VERSION });
        }
        schema::configure(&connection).map_err(sqlite)?;
        if found < schema::VERSION {
            schema::migrate(&mut connection, found).map_err(sqlite)?;
        }
        let (witness, testimony) = Witness::open(path).map_err(|error| unusable(error.to_string()))?;
        let (stream, head) = load(&connection).map_err(sqlite)?;
        verify(&connection, head).map_err(|error| match error {
            JournalError::Damaged { .. } => damaged(error.to_string()),
            other => unusable(other.to_string()),
        })?;
        let stream = testify(&connection, stream, head, testimony).map_err(sqlite)?.map_err(damaged)?;
        let last: Option<i64> = connection
            .query_row("SELECT time_us FROM events WHERE position = ?1", [head.position], |row| row.get(0))
            .optional()
            .map_err(sqlite)?;
        let extent = watch::channel(Extent { oldest: head.oldest, head: head.position }).0;
        let mut writer = Self {
            connection,
            stream,
            retention,
            head,
            clock: Clock::after(last),
            witness,
            extent,
            health: watch::channel(None).0,
        };
        writer.remember();
        Ok(writer)
    }

    pub(super) fn stream(&self) -> &StreamId {
        &self.stream
    }

    pub(super) fn extent(&self) -> watch::Receiver<Extent> {
        self.extent.subscribe()
    }

    pub(super) fn health(&self) -> watch::Receiver<Option<String>> {
        self.health.subscribe()
    }

    /// `journal_mode` and `synchronous`; empty and -1 if SQLite does not say.
    pub(super) fn pragmas(&self) -> (String, i64) {
        let ask = |pragma: &str| self.connection.query_row(pragma, [], |row| row.get(0));
        (
            ask("PRAGMA journal_mode").unwrap_or_default(),
            self.connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap_or(-1),
        )
    }

    /// Writes until nobody can append any more.
    pub(super) fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Append>) {
        while let Some(first) = inbox.blocking_recv() {
            let mut records = first.batch.len();
            let mut group = vec![first];
            while records < GROUP
                && let Ok(next) = inbox.try_recv()
            {
                records += next.batch.len();
                group.push(next);
            }
            self.commit(group);
        }
    }

    /// One transaction. Nobody is answered and nothing is visible before it is on the disk.
    fn commit(&mut self, group: Vec<Append>) {
        let batches: Vec<&[Record]> = group.iter().map(|append| append.batch.as_slice()).collect();
        match self.write(&batches) {
            Ok((head, outcomes)) => {
                self.head = head;
                self.remember();
                self.health.send_if_modified(|health| health.take().is_some());
                let extent = Extent { oldest: head.oldest, head: head.position };
                self.extent.send_if_modified(|seen| std::mem::replace(seen, extent) != extent);
                for (append, outcome) in group.into_iter().zip(outcomes) {
                    // Whoever asked may have gone; the events are in all the same.
                    let _ = append.reply.send(outcome);
                }
            }
            Err(error) => {
                let why = error.to_string();
                tracing::error!(why, "the journal takes no events");
                self.health.send_replace(Some(why.clone()));
                for append in group {
                    let _ = append.reply.send(Err(JournalError::Unavailable(why.clone())));
                }
            }
        }
    }

    /// A witness that can't be written is no reason to lose events: it only notices less.
    fn remember(&mut self) {
        let told = Told { position: self.head.position, checksum: self.head.checksum };
        if let Err(error) = self.witness.tell(told) {
            tracing::warn!(%error, "cannot write the file beside the journal that remembers its head");
        }
    }

    #[expect(clippy::type_complexity, reason = "the outcomes stand in the order of the batches")]
    fn write(
        &mut self,
        batches: &[&[Record]],
    ) -> rusqlite::Result<(Head, Vec<Result<Vec<u64>, JournalError>>)> {
        let mut head = self.head;
        let transaction = self.connection.transaction()?;
        let mut known: HashMap<&str, u64> = HashMap::new();
        let mut outcomes = Vec::with_capacity(batches.len());
        for batch in batches {
            outcomes.push(match check(&transaction, batch, &mut known)? {
                Ok(()) => Ok(insert(&transaction, batch, &mut head, &mut self.clock)?),
                Err(refused) => Err(refused),
            });
        }
        retain(&transaction, &mut head, self.retention)?;
        if head != self.head {
            transaction
                .prepare_cached("UPDATE head SET position = ?1, checksum = ?2, oldest = ?3, base = ?4")?
                .execute(params![head.position, head.checksum, head.oldest, head.base])?;
            transaction.commit()?;
        }
        Ok((head, outcomes))
    }
}

/// All of a batch or nothing: refuses it before anything of it is in.
fn check<'a>(
    transaction: &Transaction<'_>,
    batch: &'a [Record],
    known: &mut HashMap<&'a str, u64>,
) -> rusqlite::Result<Result<(), JournalError>> {
    let mut has: HashMap<&str, u64> = HashMap::new();
    for record in batch {
        if let Err(refused) = record.check() {
            return Ok(Err(refused));
        }
        let subject = record.subject.as_str();
        let stored = match known.get(subject) {
            Some(stored) => *stored,
            None => {
                let mut count =
                    transaction.prepare_cached("SELECT max(idx) FROM events WHERE subject = ?1")?;
                let stored = count.query_row([subject], |row| row.get::<_, Option<u64>>(0))?.unwrap_or(0);
                known.insert(subject, stored);
                stored
            }
        };
        let has = has.entry(subject).or_insert(stored);
        if record.index > *has + 1 {
            let gap = JournalError::Gap { subject: subject.to_owned(), index: record.index, has: *has };
            return Ok(Err(gap));
        }
        if record.index <= stored && position_of(transaction, record)?.is_none() {
            let why = format!("event {} of {subject} was dropped by retention", record.index);
            return Ok(Err(JournalError::Refused(why)));
        }
        *has = record.index.max(*has);
    }
    // Later batches of the group build on this one.
    known.extend(has);
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
    clock: &mut Clock,
) -> rusqlite::Result<Vec<u64>> {
    let mut positions = Vec::with_capacity(batch.len());
    for record in batch {
        if let Some(position) = position_of(transaction, record)? {
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
        let checksum = chain::checksum(head.checksum, &row);
        transaction
            .prepare_cached(
                "INSERT INTO events (position, time_us, subject, idx, type, data, checksum)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                row.position,
                row.time_us,
                row.subject,
                row.index,
                row.kind,
                row.data,
                checksum
            ])?;
        if record.index == 1 {
            let plan = record.plan.as_deref();
            transaction.execute(
                "INSERT INTO incidents (subject, start, ended, plan, plan_checksum) VALUES (?1, ?2, 0, ?3, ?4)",
                params![record.subject, row.position, plan, plan.map(chain::of_text)],
            )?;
        }
        if record.kind == MessageType::IncidentResolved {
            transaction.execute(
                "UPDATE incidents SET ended = ?2 WHERE subject = ?1",
                params![record.subject, row.position],
            )?;
        }
        (head.position, head.checksum) = (row.position, checksum);
        positions.push(row.position);
    }
    Ok(positions)
}
