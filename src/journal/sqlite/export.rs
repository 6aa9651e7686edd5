//! A journal file as the source of a copy. All reads see one snapshot, also while a server writes.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::super::log::ReadLimit;
use super::super::open_error::OpenError;
use super::super::record::Key;
use super::super::transfer::{Export, Item, PAGE, PAGE_BYTES};
use super::head::{self, Head, Hint};
use super::source::{Kept, Source};
use super::{events, incidents};
use crate::contract::MessageType;

/// A file, read from the oldest event up to a position.
pub(in crate::journal) struct FileExport {
    connection: Connection,
    /// Dropped after the connection; `None` for a file that this process writes.
    _kept: Option<Kept>,
    path: PathBuf,
    holder: Option<String>,
    oldest: u64,
    base: i64,
    until: u64,
    /// Position of the last event that was read, and its checksum.
    at: (u64, i64),
    /// The incidents that have ended, once that was asked.
    ended: OnceCell<HashSet<String>>,
}

/// What its row says of an incident.
struct Row {
    start: u64,
    ended: u64,
}

impl FileExport {
    /// Opens a file to be read up to `until`.
    pub(in crate::journal) fn open(path: &Path, until: u64) -> Result<Self, OpenError> {
        let source = Source::open(path)?;
        if source.format.is_none() {
            return Err(OpenError::unusable(path, "the file is empty: there is nothing to copy"));
        }
        // What the head says may be what is damaged.
        let known = head::hint(&source.connection);
        let Source { connection, holder, kept, .. } = source;
        Ok(Self { _kept: Some(kept), ..Self::over_connection(connection, path, known, until, holder)? })
    }

    /// A file that is still being written under another name.
    pub(super) fn of_written(written: &Path, head: Head) -> Result<Self, OpenError> {
        let connection = Connection::open(written).map_err(|error| OpenError::unusable(written, error))?;
        Self::over_connection(connection, written, Some(Hint { head, is_sealed: true }), head.position, None)
    }

    fn over_connection(
        connection: Connection,
        path: &Path,
        known: Option<Hint>,
        until: u64,
        holder: Option<String>,
    ) -> Result<Self, OpenError> {
        let walk = super::walk::Walk::all(&connection, known);
        let (at, base) =
            walk.map(|walk| (walk.at, walk.before)).map_err(|error| OpenError::unusable(path, error))?;
        let (path, oldest) = (path.to_owned(), at + 1);
        let (at, ended) = ((at, base), OnceCell::new());
        Ok(Self { connection, _kept: None, path, holder, oldest, base, until, at, ended })
    }

    fn unusable(&self, error: rusqlite::Error) -> OpenError {
        OpenError::unusable(&self.path, error)
    }

    fn row(&self, subject: &str) -> rusqlite::Result<Option<Row>> {
        let mut statement =
            self.connection.prepare_cached("SELECT start, ended FROM incidents WHERE subject = ?1")?;
        let found = statement.query_row([subject], |row| Ok(Row { start: row.get(0)?, ended: row.get(1)? }));
        found.optional()
    }

    /// Whether an incident has ended before the end of what is copied. What the events say counts: its row may be damaged or lost.
    fn has_ended(&self, subject: &str, row: Option<&Row>) -> bool {
        let ends_at = |position: u64| {
            let select = "SELECT 1 FROM events WHERE position = ?1 AND subject = ?2 AND type = ?3";
            let found = self.connection.prepare_cached(select);
            let end = MessageType::IncidentResolved.as_str();
            found.and_then(|mut select| select.exists(params![position, subject, end])).unwrap_or(false)
        };
        let known = row.map(|row| row.ended).filter(|ended| (1..=self.until).contains(ended));
        known.is_some_and(ends_at) || self.ended.get_or_init(|| self.all_ended()).contains(subject)
    }

    /// The incidents that have ended, as far as the events can be read.
    fn all_ended(&self) -> HashSet<String> {
        let mut ended = HashSet::new();
        let select = "SELECT subject FROM events WHERE position <= ?1 AND type = ?2";
        let Ok(mut select) = self.connection.prepare(select) else { return ended };
        let Ok(mut rows) = select.query(params![self.until, MessageType::IncidentResolved.as_str()]) else {
            return ended;
        };
        while let Ok(Some(row)) = rows.next() {
            ended.extend(row.get::<_, String>(0).ok());
        }
        ended
    }

    fn keys(&self, from: u64, to: u64) -> rusqlite::Result<HashMap<u64, Key>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT position, source, id, digest FROM keys WHERE position BETWEEN ?1 AND ?2",
        )?;
        let keys = statement.query_map([from, to], |row| {
            Ok((row.get(0)?, Key { source: row.get(1)?, id: row.get(2)?, digest: row.get(3)? }))
        })?;
        keys.collect()
    }
}

impl Export for FileExport {
    fn page(&mut self, after: u64) -> Result<Vec<Item>, OpenError> {
        let after = after.max(self.oldest - 1);
        if after >= self.until {
            return Ok(Vec::new());
        }
        if after != self.at.0 {
            let checksum = if after < self.oldest {
                Ok(self.base)
            } else {
                let select = "SELECT checksum FROM events WHERE position = ?1";
                self.connection.query_row(select, [after], |row| row.get(0))
            };
            self.at = (after, checksum.map_err(|error| self.unusable(error))?);
        }
        let limit = ReadLimit { events: PAGE, bytes: PAGE_BYTES };
        let read = events::chained(&self.connection, after, self.at.1, self.until, limit);
        let (page, before) = read.map_err(|error| OpenError::damaged(&self.path, error.to_string()))?;
        let Some(last) = page.last().map(|last| last.position) else { return Ok(Vec::new()) };
        let mut keys = self.keys(after + 1, last).map_err(|error| self.unusable(error))?;
        let mut starts = HashMap::new();
        let (mut items, mut bytes) = (Vec::with_capacity(page.len()), 0);
        for stored in page {
            // Plans may be long: then the page ends here, and is read on from here.
            if bytes >= PAGE_BYTES {
                return Ok(items);
            }
            let mut plan = None;
            let start = match starts.get(&stored.subject) {
                Some(start) => *start,
                None => {
                    // A damaged index is no reason to stop: the events say what is needed.
                    let row = self.row(&stored.subject).ok().flatten();
                    // If retention has dropped its first event, it began before the oldest event.
                    let start = if stored.index == 1 { stored.position } else { self.oldest - 1 };
                    let start = row.as_ref().map_or(start, |row| row.start);
                    // What is open without its first event has no plan any more that could be played.
                    if stored.index == 1 && !self.has_ended(&stored.subject, row.as_ref()) {
                        plan = incidents::copied_plan(&self.connection, &stored).map(Into::into);
                    }
                    starts.insert(Arc::clone(&stored.subject), start);
                    start
                }
            };
            let item = Item { start, key: keys.remove(&stored.position), plan, stored };
            bytes += item.weight();
            items.push(item);
        }
        self.at = (last, before);
        Ok(items)
    }

    fn over(&mut self) -> Result<Vec<(Arc<str>, u64)>, OpenError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT subject, ended FROM incidents WHERE ended <> 0 AND ended < ?1 ORDER BY ended, subject",
            )?;
            let rows = statement
                .query_map([self.oldest], |row| Ok((Arc::from(row.get::<_, String>(0)?), row.get(1)?)))?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.unusable(error))
    }

    fn newest(&mut self) -> Result<u64, OpenError> {
        let select = "SELECT coalesce(max(position), 0) FROM events";
        self.connection.query_row(select, [], |row| row.get(0)).map_err(|error| self.unusable(error))
    }

    fn holder(&mut self) -> Result<Option<String>, OpenError> {
        Ok(self.holder.clone())
    }
}
