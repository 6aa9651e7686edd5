//! Whether the disk has room again. On a disk that is nearly full the small write that shows whether the file can be written
//! fits, and the next event does not. So before a journal that could not be written accepts events again, its log has to
//! take as much as it could not take before.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::super::record::{Batch, Place};

/// What a record costs besides its texts: its row, those of its incident and its key, and the pages that they are on.
const RECORD: usize = 4 * 1024;

/// Room for the events that come next, so that the journal does not fail again with the first of them.
const SPARE: usize = 64 * 1024;

/// No more than this is tried: the disk would be written again and again.
const MOST: usize = 4 * 1024 * 1024;

/// The bytes that could not be written.
#[derive(Debug, Default)]
pub(super) struct Room(usize);

impl Room {
    /// The bytes that batches need.
    pub(super) fn of(batches: &[Batch]) -> Self {
        let records = batches.iter().flat_map(|batch| &batch.records);
        Self(records.fold(0, |bytes, record| {
            let key = if let Place::Next(key) = &record.place { key.source.len() + key.id.len() } else { 0 };
            let plan = record.plan.as_ref().map_or(0, |plan| plan.len());
            bytes + record.data.get().len() + record.subject.len() + plan + key + RECORD
        }))
    }

    /// Batches that need this could not be written.
    pub(super) fn missed(&mut self, wanted: &Self) {
        self.0 = self.0.max(wanted.0.min(MOST));
    }

    /// Batches that need this were written.
    pub(super) fn found(&mut self, wanted: &Self) {
        if wanted.0 >= self.0 {
            self.0 = 0;
        }
    }

    /// Writes as much into the log as could not be written, as an event at a position that is free, and takes it back. The
    /// log keeps the room for the next commit.
    pub(super) fn check(&self, connection: &Connection, free: u64) -> rusqlite::Result<()> {
        if self.0 == 0 {
            return Ok(());
        }
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        transaction.execute(
            "INSERT INTO events (position, time_us, subject, idx, type, data, checksum) VALUES (?1, 0, '', 0, '', ?2, 0)",
            params![free, " ".repeat(self.0 + SPARE)],
        )?;
        transaction.cache_flush().map_err(told)?;
        transaction.rollback()
    }
}

/// The error as a commit tells it: a flush gives its code alone, and the reason would read differently from try to try.
fn told(error: rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(code, None) => {
            let text = rusqlite::ffi::code_to_str(code.extended_code).to_owned();
            rusqlite::Error::SqliteFailure(code, Some(text))
        }
        other => other,
    }
}
