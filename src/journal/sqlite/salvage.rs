//! Salvage: copies the intact part of a damaged file into a new one.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::super::open_error::OpenError;
use super::super::record::Stored;
use super::audit::Source;
use super::chain::{self, Row};
use super::head::{self, Head};
use super::lock::Lock;
use super::walk::Walk;
use super::witness::{LastCommit, Witness};
use super::{events, keys, schema};
use crate::contract::{Role, StreamId};

/// What was copied into the new file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// The new stream's name.
    pub stream: StreamId,
    /// Position of the oldest event.
    pub oldest: u64,
    /// Position of the newest event: the last one before the first damage.
    pub head: u64,
}

/// Copies the events before the first damage into a new file. The new file is a new stream with a new name, because the
/// events that follow in it will differ from those that followed in the damaged file. Incidents whose resolution was
/// not copied are open again, with their plans.
///
/// # Errors
/// The file cannot be read at all, or the new file already exists or cannot be written.
pub fn salvage(path: &Path, into: &Path) -> Result<Salvaged, OpenError> {
    if into.exists() {
        return Err(OpenError::unusable(into, "the file already exists and would be overwritten"));
    }
    let source = Source::open(path)?;
    let _lock = Lock::take(into)?;
    let stream = StreamId::fresh();
    let head = copy(&source, &stream, into).map_err(|error| OpenError::unusable(into, error))?;
    // If this fails, the next start gives the stream another new name; nothing is lost.
    let last = LastCommit { position: head.position, checksum: head.checksum };
    let _ = Witness::open(into).and_then(|(mut witness, _)| witness.remember(last));
    Ok(Salvaged { stream, oldest: head.oldest, head: head.position })
}

fn copy(source: &Source, stream: &StreamId, into: &Path) -> rusqlite::Result<Head> {
    let mut connection = Connection::open(into)?;
    schema::configure(&connection)?;
    schema::migrate(&mut connection, 0)?;
    let transaction = connection.transaction()?;
    let mut copied = Copied {
        head: Head { position: source.head.oldest - 1, checksum: source.head.base, ..source.head },
        known: HashSet::new(),
    };
    let mut walk = Walk::new(&source.connection, source.head);
    // The copy ends at the first damage, or where the file cannot be read.
    while let Ok(Some(Ok(page))) = walk.step() {
        for event in page {
            copied.take(&transaction, &source.connection, &event)?;
        }
    }
    keys::copy(&source.connection, &transaction, copied.head.position)?;
    head::store(&transaction, stream, copied.head)?;
    transaction.commit()?;
    Ok(copied.head)
}

struct Copied {
    head: Head,
    /// The incidents that have a row in the new file.
    known: HashSet<Arc<str>>,
}

impl Copied {
    fn take(&mut self, to: &Transaction<'_>, from: &Connection, event: &Stored) -> rusqlite::Result<()> {
        let row = Row {
            position: event.position,
            time_us: event.time.as_microsecond(),
            subject: &event.subject,
            index: event.index,
            kind: event.kind.as_str(),
            data: event.data.get(),
        };
        self.head.checksum = events::insert(to, self.head.checksum, &row)?;
        self.head.position = event.position;
        if self.known.insert(Arc::clone(&event.subject)) {
            // If retention has dropped its first event, it began before the oldest event.
            let start = if event.index == 1 { event.position } else { self.head.oldest - 1 };
            let plan = plan(from, &event.subject).ok().flatten();
            to.execute(
                "INSERT INTO incidents (subject, start, ended, plan, plan_checksum) VALUES (?1, ?2, 0, ?3, ?4)",
                params![event.subject, start, plan, plan.as_deref().map(chain::of_text)],
            )?;
        }
        if event.kind.role() == Role::End {
            to.execute(
                "UPDATE incidents SET ended = ?2 WHERE subject = ?1",
                params![event.subject, event.position],
            )?;
        }
        Ok(())
    }
}

/// An incident's plan, if its checksum matches.
fn plan(connection: &Connection, subject: &str) -> rusqlite::Result<Option<String>> {
    let stored: Option<(Option<String>, Option<i64>)> = connection
        .prepare_cached("SELECT plan, plan_checksum FROM incidents WHERE subject = ?1")?
        .query_row([subject], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (plan, checksum) = stored.unwrap_or_default();
    Ok(plan.filter(|plan| checksum == Some(chain::of_text(plan))))
}
