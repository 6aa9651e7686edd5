//! The mark in a journal that a server has it open. It tells a copy of the database file alone from a whole journal.
//!
//! The newest events of a journal in use are in the write-ahead log, a file beside the database. A copy of the database
//! alone is a sound database without them, of an unknown age. Therefore a server sets the mark when it opens the journal
//! and moves it into the database file at once, and clears it in the same way at a clean stop, after which the database
//! file is the whole journal. So a database with the mark, whose log is missing or empty, is
//! - whole, if the witness file confirms its newest event: a server was killed after a checkpoint, or another program
//!   (such as the `sqlite3` shell) has moved the log into the database since;
//! - damaged, if the witness file names a newer event;
//! - a copy without its log, if there is no witness file that says anything. Then it is refused.
//!
//! After `kill -9` or a power cut the log and the witness file are beside the database, so the next server starts. SQLite
//! makes the directory entry of a new log durable with the first commit in it, which is the one that sets the mark.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::place::beside;
use super::witness::Remembered;

/// Whether a server has the journal open, or had it open and did not stop cleanly.
pub(super) fn is_set(connection: &Connection) -> rusqlite::Result<bool> {
    let row = connection.query_row("SELECT running FROM server", [], |row| row.get(0)).optional()?;
    Ok(row.unwrap_or(false))
}

/// Sets or clears the mark. The caller moves it into the database file with a checkpoint.
pub(super) fn set(connection: &Connection, running: bool) -> rusqlite::Result<()> {
    connection.execute("INSERT OR REPLACE INTO server (id, running) VALUES (0, ?1)", [running])?;
    Ok(())
}

/// Whether there is a write-ahead log with content beside the database. To be asked before the database is opened:
/// SQLite creates an empty one.
pub(super) fn has_log(journal: &Path) -> bool {
    beside(journal, "wal").metadata().is_ok_and(|found| found.len() > 0)
}

/// What is missing, if the database is a copy without its log. `has_log` is the answer of [`has_log`].
pub(super) fn wrong(
    connection: &Connection,
    has_log: bool,
    remembered: Remembered,
    head: u64,
) -> rusqlite::Result<Option<String>> {
    let confirmed = matches!(remembered, Remembered::Commit(_));
    if has_log || confirmed || !is_set(connection)? {
        return Ok(None);
    }
    Ok(Some(format!(
        "it was copied while a server used it, or served under another name, without the -wal file that has the newest events, or that file \
         was removed: events after {head} may be missing. Copy it again together with that file, or make the copy with \
         `incident check-journal FILE --backup TO`"
    )))
}
