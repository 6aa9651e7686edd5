//! The tables. They are meant to be read by people with the `sqlite3` shell too.

use rusqlite::Connection;

/// The newest format. Kept in SQLite's `user_version`.
pub(super) const VERSION: i64 = 2;

/// From each format to the next.
const MIGRATIONS: [&str; VERSION as usize] = [TABLES, NEWEST_INCIDENTS];

/// Format 1.
const TABLES: &str = "
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
";

/// Format 2: the newest incidents are found without looking at all of them.
const NEWEST_INCIDENTS: &str = "CREATE INDEX incidents_by_start ON incidents (start);";

/// The pragmas of the writing connection. `FULL` makes every commit in WAL mode synchronous: what was told to a
/// client is on the disk.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "cell_size_check", "ON")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))
}

/// The format of a file; 0 for a new one.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings a file from its format to the newest.
pub(super) fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for migration in MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or_default()) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
