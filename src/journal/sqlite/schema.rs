//! The tables. They are meant to be read by people with the `sqlite3` shell too.

use std::time::Duration;

use rusqlite::{Connection, Transaction};

use super::head;

/// From each format to the next.
const MIGRATIONS: [fn(&Transaction<'_>) -> rusqlite::Result<()>; 3] = [tables, sealed_head, keys];

/// The newest format. Kept in SQLite's `user_version`.
#[expect(clippy::cast_possible_wrap, reason = "they can be counted by hand")]
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Format 1.
fn tables(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "
    -- Every event that is kept. `checksum` is chained to the row before.
    CREATE TABLE events (
        position INTEGER PRIMARY KEY,
        time_us  INTEGER NOT NULL, -- microseconds since 1970, UTC
        subject  TEXT    NOT NULL, -- the incident
        idx      INTEGER NOT NULL, -- the event's place in its incident, from 1
        type     TEXT    NOT NULL,
        data     TEXT    NOT NULL, -- JSON, verbatim
        checksum INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX events_by_incident ON events (subject, idx);

    -- Every incident with an event that is kept, and what is played.
    CREATE TABLE incidents (
        subject       TEXT    PRIMARY KEY,
        start         INTEGER NOT NULL, -- position of its first event
        ended         INTEGER NOT NULL, -- position of its resolution, 0 while it is open
        plan          TEXT,
        plan_checksum INTEGER
    ) STRICT;
    CREATE INDEX incidents_open ON incidents (start) WHERE ended = 0;

    -- One row: the newest position with its checksum, and the checksum before the oldest event that is kept.
    -- Row ids restart when a table is emptied, positions never do.
    CREATE TABLE head (
        id          INTEGER PRIMARY KEY CHECK (id = 0),
        stream      TEXT    NOT NULL,
        position    INTEGER NOT NULL,
        checksum    INTEGER NOT NULL,
        oldest      INTEGER NOT NULL,
        base        INTEGER NOT NULL
    ) STRICT;
    ",
    )
}

/// Format 2: the head has a checksum of its own, and the newest incidents are found without looking at all of them.
/// The events have no index any more: with many incidents at once every event wrote a page of it, which was nine
/// tenths of what a commit wrote.
fn sealed_head(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "ALTER TABLE head ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;
         CREATE INDEX incidents_by_start ON incidents (start);
         DROP INDEX events_by_incident;",
    )?;
    match head::load(transaction)? {
        Some((stream, head, _)) => head::store(transaction, &stream, head),
        None => Ok(()),
    }
}

/// Format 3: the keys of published events.
fn keys(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "
    -- What publishers call their events, so that a repeat is noticed. Kept as long as the event.
    CREATE TABLE keys (
        source   TEXT    NOT NULL, -- the publisher
        id       TEXT    NOT NULL, -- its name for the event
        position INTEGER NOT NULL,
        digest   BLOB    NOT NULL, -- SHA-256 of what was published
        checksum INTEGER NOT NULL,
        PRIMARY KEY (source, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX keys_by_position ON keys (position);
    ",
    )
}

/// The pragmas of the writing connection, and the journal mode that came of it. `FULL` makes every commit in WAL mode
/// synchronous: what a client has received is on the disk.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<String> {
    let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Fewer and larger checkpoints: each has to wait for the disk twice.
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    // Where a plain fsync does not reach the disk (macOS); nothing elsewhere.
    connection.pragma_update(None, "fullfsync", "ON")?;
    connection.pragma_update(None, "checkpoint_fullfsync", "ON")?;
    // A log that grew while a reader was slow is cut back to this.
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.pragma_update(None, "cell_size_check", "ON")?;
    // A shell may hold it for a moment; a longer wait counts as a failure and is tried again.
    connection.busy_timeout(Duration::from_secs(1))?;
    Ok(mode)
}

/// The format of a file; 0 for a new one.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings a file from its format to the newest.
pub(super) fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or_default()) {
        migration(&transaction)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
