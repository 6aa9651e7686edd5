//! Salvage: copies the intact part of a damaged file into a new one.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};

use super::super::open_error::OpenError;
use super::super::record::Stored;
use super::super::stop::Stop;
use super::super::transfer::UNPLAYABLE;
use super::chain::{self, Row};
use super::error::open_error;
use super::head::{self, Head};
use super::source::Source;
use super::target::Target;
use super::walk::Walk;
use super::{ended, events, incidents, interrupt, keys, schema};
use crate::contract::{Role, StreamId};

/// What was copied into the new file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The new stream's name.
    pub stream: StreamId,
    /// Position of the oldest event.
    pub oldest: u64,
    /// Position of the newest event.
    pub head: u64,
    /// How many keys of published events were missing or damaged, and were made anew from the events.
    pub renewed_keys: u64,
    /// How many open incidents have a plan that is damaged or was lost: a server ends them.
    pub unplayable: u64,
}

/// Copies the events before the first damage into a new file. The new file is a new stream with a new name, because the
/// events that follow in it will differ from those that followed in the damaged file. Incidents that were open are open
/// again, with their plans. One whose resolution was not copied is open, too, and its plan was dropped with its end.
///
/// # Errors
/// The file cannot be read at all, or the new file already exists or cannot be written.
pub fn salvage(path: &Path, into: &Path, stop: &Stop) -> Result<Copied, OpenError> {
    let target = Target::new(path, into)?;
    let mut source = Source::open(path)?;
    if source.format.is_none() {
        return Err(OpenError::unusable(path, "the file is empty: there is nothing to salvage"));
    }
    let unusable = |error: rusqlite::Error| OpenError::unusable(into, error);
    interrupt::at(stop, &mut source.connection).map_err(unusable)?;
    let stream = StreamId::fresh();
    // What the head says is only a hint: it may be what is damaged.
    let walk = Walk::all(&source.connection, head::hint(&source.connection))
        .map_err(|error| open_error(path, error))?;
    let (head, copied) = copy(&source, walk, stream, target.written(), stop).map_err(unusable)?;
    target.finish(&copied.stream, head)?;
    Ok(copied)
}

/// Returns the new head, and what was copied.
fn copy(
    source: &Source,
    mut walk: Walk<'_>,
    stream: StreamId,
    into: &Path,
    stop: &Stop,
) -> rusqlite::Result<(Head, Copied)> {
    let mut connection = Connection::open(into)?;
    interrupt::at(stop, &mut connection)?;
    schema::configure(&connection)?;
    let transaction = connection.transaction()?;
    schema::migrate(&transaction, 0)?;
    let mut copied = Copying {
        head: Head { position: walk.at, checksum: walk.before, oldest: walk.at + 1, base: walk.before },
        known: HashSet::new(),
    };
    // The copy ends at the first damage, or where the file cannot be read.
    while let Some(Ok(page)) = walk.step() {
        for event in page {
            copied.take(&transaction, &source.connection, &event)?;
        }
    }
    // What was interrupted looks as if it were damaged.
    interrupt::look(stop)?;
    keys::copy(&source.connection, &transaction, copied.head.oldest, copied.head.position)?;
    let renewed_keys = keys::renew(&transaction)?;
    let head = copied.head;
    head::store(&transaction, &stream, head)?;
    let unplayable = transaction.query_row(
        "SELECT count(*) FROM incidents WHERE ended = 0 AND plan = ?1",
        [UNPLAYABLE],
        |row| row.get(0),
    )?;
    interrupt::look(stop)?;
    transaction.commit()?;
    Ok((head, Copied { stream, oldest: head.oldest, head: head.position, renewed_keys, unplayable }))
}

struct Copying {
    head: Head,
    /// The incidents that have a row in the new file.
    known: HashSet<Arc<str>>,
}

impl Copying {
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
            let plan = incidents::copied_plan(from, event);
            to.execute(
                "INSERT INTO incidents (subject, start, ended, plan, plan_checksum) VALUES (?1, ?2, 0, ?3, ?4)",
                params![event.subject, start, plan, chain::of_plan(&event.subject, plan.as_deref())],
            )?;
        }
        if event.kind.role() == Role::End {
            ended::end(to, &event.subject, event.position)?;
        }
        Ok(())
    }
}
