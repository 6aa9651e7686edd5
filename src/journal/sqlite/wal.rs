//! The write-ahead log: its checkpoints and its size.
//!
//! SQLite can move pages from the log into the database only up to the oldest snapshot that any program reads. So a
//! program that holds a read transaction makes the log grow with every commit.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::place::beside;

/// Pages in the log after which a commit is followed by a checkpoint. Fewer and larger checkpoints than SQLite's default
/// makes, because each waits for the disk twice. The log is 16 MB then.
pub(super) const USUAL: u64 = 4_000;

/// The same while retention deletes many events: their pages go through the log, so that there are many checkpoints, and
/// appends wait for each.
pub(super) const SMALL: u64 = 256;

/// A log with more bytes is truncated as soon as the readers allow it.
pub(super) const LARGE: i64 = 32 * 1024 * 1024;

/// How often the writer tries to truncate a large log.
const AGAIN: Duration = Duration::from_secs(1);

/// How long the writer waits for readers then. The journal's own need no longer; another program's may take hours.
const SHORT: Duration = Duration::from_millis(20);

/// How long a connection waits for a lock.
pub(super) const BUSY: Duration = Duration::from_secs(1);

/// The pages in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frames {
    pub(super) all: u64,
    /// Those of them that are also in the database.
    pub(super) moved: u64,
}

/// The log after a look at it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tended {
    /// Whether the database file may have changed.
    pub(super) moved: bool,
    /// `None` if SQLite does not say.
    pub(super) frames: Option<Frames>,
}

/// Counts the pages in the log. Moves none.
pub(super) fn frames(connection: &Connection) -> rusqlite::Result<Frames> {
    let count = |row: &rusqlite::Row<'_>, column| {
        // SQLite says -1 if there is no log.
        Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.max(0).cast_unsigned())
    };
    connection
        .prepare_cached("PRAGMA wal_checkpoint(NOOP)")?
        .query_row([], |row| Ok(Frames { all: count(row, 1)?, moved: count(row, 2)? }))
}

/// Moves everything into the database and empties the log. `Ok(false)` if a reader or another writer prevents it.
pub(super) fn empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

/// Bytes of the header of the log.
const HEADER: usize = 32;

/// What a log begins with, as a big-endian number: the lowest bit says in which order its checksums take the bytes.
pub(super) const MAGIC: u32 = 0x377f_0682;
pub(super) const MAGIC_BIG: u32 = MAGIC | 1;

/// Whether the log begins with something else than a header, whose own checksum matches. SQLite reads the header only after a
/// crash, and then takes a log without one for empty. To read it is safe: SQLite has no locks on this file.
pub(super) fn is_overwritten(path: &Path) -> std::io::Result<bool> {
    let mut header = [0; HEADER];
    if let Err(error) = File::open(path)?.read_exact(&mut header) {
        // An empty log has no header.
        return if error.kind() == ErrorKind::UnexpectedEof { Ok(false) } else { Err(error) };
    }
    let (words, _) = header.as_chunks::<4>();
    let is_big = words[0] == MAGIC_BIG.to_be_bytes();
    let is_known = is_big || words[0] == MAGIC.to_be_bytes();
    let mut sums = [0_u32; 2];
    for pair in words[..6].chunks_exact(2) {
        let number = |word| if is_big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) };
        sums[0] = sums[0].wrapping_add(number(pair[0])).wrapping_add(sums[1]);
        sums[1] = sums[1].wrapping_add(number(pair[1])).wrapping_add(sums[0]);
    }
    Ok(!is_known || words[6..] != sums.map(u32::to_be_bytes))
}

/// The log of an open journal.
pub(super) struct WriteAheadLog {
    path: PathBuf,
    bytes: Arc<AtomicU64>,
    /// Whether the log says that it is large.
    is_large: bool,
    /// Whether the log has to be emptied even if it is small.
    is_due: bool,
    tried: Option<Instant>,
}

impl WriteAheadLog {
    pub(super) fn of(journal: &Path) -> Self {
        Self {
            path: beside(journal, "wal"),
            bytes: Arc::default(),
            is_large: false,
            is_due: false,
            tried: None,
        }
    }

    /// Its size, as of the last look.
    pub(super) fn bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes)
    }

    /// Empties the log now, or as soon as the readers allow it.
    pub(super) fn empty_soon(&mut self, connection: &Connection) {
        self.is_due = true;
        self.truncate(connection);
    }

    /// Looks at the log after a commit, and from time to time without one. Makes a checkpoint if it has so many pages.
    pub(super) fn tend(&mut self, connection: &Connection, checkpoint: u64) -> Tended {
        let mut moved = false;
        let mut found = frames(connection).ok();
        if found.is_some_and(|frames| frames.all >= checkpoint && frames.moved < frames.all) {
            // What fails here is tried again after the next commit.
            let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            moved = true;
        }
        let mut bytes = self.measure();
        if self.is_due || bytes > LARGE as u64 {
            let is_early = self.tried.is_some_and(|tried| tried.elapsed() < AGAIN);
            if !is_early {
                self.truncate(connection);
                moved = true;
                bytes = self.measure();
            }
        }
        self.tell(bytes);
        if moved {
            found = frames(connection).ok();
        }
        Tended { moved, frames: found }
    }

    fn truncate(&mut self, connection: &Connection) {
        self.tried = Some(Instant::now());
        let waits = connection.busy_timeout(SHORT);
        if waits.and_then(|()| empty(connection)).is_ok_and(|emptied| emptied) {
            self.is_due = false;
        }
        // A connection accepts any timeout.
        let _ = connection.busy_timeout(BUSY);
    }

    fn measure(&self) -> u64 {
        let bytes = self.path.metadata().map_or(0, |found| found.len());
        self.bytes.store(bytes, Ordering::Relaxed);
        bytes
    }

    /// Logs once that the log has grown large, and once that it has shrunk.
    fn tell(&mut self, bytes: u64) {
        let is_large = bytes > LARGE as u64;
        if is_large && !self.is_large {
            tracing::warn!(
                bytes,
                "the journal's write-ahead log has grown large, because another program reads the journal in a transaction that it does not end; the log shrinks when that program is done"
            );
        } else if self.is_large && !is_large {
            tracing::info!(bytes, "the journal's write-ahead log has shrunk");
        }
        self.is_large = is_large;
    }
}
