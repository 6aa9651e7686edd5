//! Saving what is sound of a damaged file.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::super::record::Stored;
use super::audit::Source;
use super::chain::{self, Row};
use super::head::{self, Head};
use super::lock::Lock;
use super::trouble::OpenError;
use super::walk::Walk;
use super::witness::{LastCommit, Witness};
use super::{events, keys, schema};
use crate::contract::{Role, StreamId};

/// What a new file has of a damaged one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// The new stream's name.
    pub stream: StreamId,
    /// Position of the oldest event.
    pub oldest: u64,
    /// Position of the newest: the last before the first damage.
    pub head: u64,
}

/// Copies the events before the first damage into a new file, under the name of a new stream: what follows them will
/// not be what followed them. Incidents whose end is not among them are open again, with their plans.
///
/// # Errors
/// The file can't be read at all, or the new one exists or can't be written.
pub fn salvage(path: &Path, into: &Path) -> Result<Salvaged, OpenError> {
    if into.exists() {
        return Err(OpenError::unusable(into, "the file exists and would be overwritten"));
    }
    let source = Source::open(path)?;
    let _lock = Lock::take(into)?;
    let stream = StreamId::fresh();
    let head = save(&source, &stream, into).map_err(|error| OpenError::unusable(into, error))?;
    // Best effort: without it the next start gives the stream yet another name.
    let last = LastCommit { position: head.position, checksum: head.checksum };
    let _ = Witness::open(into).and_then(|(mut witness, _)| witness.remember(last));
    Ok(Salvaged { stream, oldest: head.oldest, head: head.position })
}

fn save(source: &Source, stream: &StreamId, into: &Path) -> rusqlite::Result<Head> {
    let mut connection = Connection::open(into)?;
    schema::configure(&connection)?;
    schema::migrate(&mut connection, 0)?;
    let transaction = connection.transaction()?;
    let mut saved = Saved {
        head: Head { position: source.head.oldest - 1, checksum: source.head.base, ..source.head },
        known: HashSet::new(),
    };
    let mut walk = Walk::new(&source.connection, source.head);
    // The first damage ends it, and so does a page that can't be read.
    while let Ok(Some(Ok(page))) = walk.step() {
        for event in page {
            saved.take(&transaction, &source.connection, &event)?;
        }
    }
    keys::copy(&source.connection, &transaction, saved.head.position)?;
    head::store(&transaction, stream, saved.head)?;
    transaction.commit()?;
    Ok(saved.head)
}

struct Saved {
    head: Head,
    /// Incidents that have a row.
    known: HashSet<Arc<str>>,
}

impl Saved {
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
            // Retention may have dropped its beginning: then it began somewhere before.
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

/// An incident's plan, if it is what was written.
fn plan(connection: &Connection, subject: &str) -> rusqlite::Result<Option<String>> {
    let stored: Option<(Option<String>, Option<i64>)> = connection
        .prepare_cached("SELECT plan, plan_checksum FROM incidents WHERE subject = ?1")?
        .query_row([subject], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (plan, checksum) = stored.unwrap_or_default();
    Ok(plan.filter(|plan| checksum == Some(chain::of_text(plan))))
}
