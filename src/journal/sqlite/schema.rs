//! The tables and their migrations. People should also be able to read the tables with the `sqlite3` shell.

use std::collections::BTreeMap;

use rusqlite::{Connection, ErrorCode, Transaction, params};

use super::{chain, head};

/// The migrations, each from one format to the next.
const MIGRATIONS: [fn(&Transaction<'_>) -> rusqlite::Result<()>; 5] =
    [tables, sealed_head, keys, marked, bound_plans];

/// The newest format. Kept in SQLite's `user_version`.
#[expect(clippy::cast_possible_wrap, reason = "there are only a few migrations")]
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// The first format whose files carry [`APPLICATION`].
const MARKED: i64 = 4;

/// "incd", in SQLite's `application_id`: the file is a journal of this program.
const APPLICATION: i64 = 0x696e_6364;

/// Format 1: events, incidents and head.
fn tables(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "
    -- All events that are kept. `checksum` is chained to the row before.
    CREATE TABLE events (
        position INTEGER PRIMARY KEY,
        time_us  INTEGER NOT NULL, -- microseconds since 1970, UTC
        subject  TEXT    NOT NULL, -- the incident
        idx      INTEGER NOT NULL, -- the event's index in its incident, from 1
        type     TEXT    NOT NULL,
        data     TEXT    NOT NULL, -- JSON, verbatim
        checksum INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX events_by_incident ON events (subject, idx);

    -- All incidents with at least one kept event, and their plans.
    CREATE TABLE incidents (
        subject       TEXT    PRIMARY KEY,
        start         INTEGER NOT NULL, -- position of its first event
        ended         INTEGER NOT NULL, -- position of its resolution, 0 while it is open
        plan          TEXT,
        plan_checksum INTEGER
    ) STRICT;
    CREATE INDEX incidents_open ON incidents (start) WHERE ended = 0;

    -- One row: the newest event's position and checksum, the oldest event's position, and the checksum before it.
    -- It keeps the position when retention has dropped every event.
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

/// Format 2: the row in `head` has its own checksum, and the newest incidents are found through a database index. The
/// table of events loses its index by incident: with many incidents at once every event wrote one page of that index,
/// nine tenths of the bytes of a commit.
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
    -- The names that publishers gave to their events, so that a repeat is recognised. Kept as long as the event.
    CREATE TABLE keys (
        source   TEXT    NOT NULL, -- the publisher
        id       TEXT    NOT NULL, -- the publisher's name for the event
        position INTEGER NOT NULL,
        digest   BLOB    NOT NULL, -- SHA-256 of what the publisher sent
        checksum INTEGER NOT NULL,
        PRIMARY KEY (source, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX keys_by_position ON keys (position);
    ",
    )
}

/// Format 4: the file says that it is a journal, and whether a server has it open (`running.rs`).
fn marked(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "
    -- One row: 1 from the start of a server until its clean stop.
    CREATE TABLE server (
        id      INTEGER PRIMARY KEY CHECK (id = 0),
        running INTEGER NOT NULL
    ) STRICT;
    ",
    )?;
    transaction.pragma_update(None, "application_id", APPLICATION)
}

/// Format 5: the checksum of a plan has the name of its incident, and an incident without a plan has a checksum, too. What had a wrong
/// one keeps it.
fn bound_plans(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut update = transaction.prepare("UPDATE incidents SET plan_checksum = ?2 WHERE rowid = ?1")?;
    let mut rows = transaction.prepare("SELECT rowid, subject, plan, plan_checksum FROM incidents")?;
    let mut rows = rows.query([])?;
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(()),
            // The judgement finds the damage; a copy for a salvage has what can be read.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => return Ok(()),
            Err(error) => return Err(error),
        };
        let (subject, checksum): (String, Option<i64>) = (row.get(1)?, row.get(3)?);
        // A damaged one may be no text.
        if let Ok(plan) = row.get::<_, Option<String>>(2)
            && plan.as_deref().map(chain::of_text) == checksum
        {
            update.execute(params![row.get::<_, i64>(0)?, chain::of_plan(&subject, plan.as_deref())])?;
        }
    }
}

/// What a database has: tables, indexes, triggers and views, each by its kind and name, with the text that made it, without
/// comments and spaces.
pub(super) type Things = BTreeMap<(String, String), String>;

/// What a database has, apart from what SQLite itself makes.
pub(super) fn things(connection: &Connection) -> rusqlite::Result<Things> {
    connection
        .prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")?
        .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), bare(&row.get::<_, String>(2)?))))?
        .collect()
}

/// What a journal of a format has.
pub(super) fn things_of(format: i64) -> rusqlite::Result<Things> {
    let mut connection = Connection::open_in_memory()?;
    let transaction = connection.transaction()?;
    for migration in MIGRATIONS.iter().take(usize::try_from(format).unwrap_or_default()) {
        migration(&transaction)?;
    }
    things(&transaction)
}

fn bare(sql: &str) -> String {
    let code =
        |line: &str| line.split("--").next().unwrap_or_default().split_whitespace().collect::<String>();
    sql.lines().map(code).collect()
}

/// Sets the pragmas of the writing connection. Returns the journal mode that SQLite uses. `synchronous=FULL` makes
/// every commit in WAL mode synchronous: an event is on disk before a client receives it.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<String> {
    let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The writer makes the checkpoints itself (`wal.rs`), so that it knows when the file has changed without it.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // On macOS a plain fsync does not reach the disk. Other systems ignore this.
    connection.pragma_update(None, "fullfsync", "ON")?;
    connection.pragma_update(None, "checkpoint_fullfsync", "ON")?;
    connection.pragma_update(None, "journal_size_limit", super::wal::LARGE)?;
    connection.pragma_update(None, "cell_size_check", "ON")?;
    // Another program, such as a shell, may lock the file for a moment. A longer wait fails and is retried.
    connection.busy_timeout(super::wal::BUSY)?;
    Ok(mode)
}

/// The format of a file; 0 if the file is new.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The application id of a file; 0 if it has none.
pub(super) fn application(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA application_id", [], |row| row.get(0))
}

/// The application id of the files of a format.
pub(super) const fn application_of(format: i64) -> i64 {
    if format >= MARKED { APPLICATION } else { 0 }
}

/// Upgrades a file to the newest format. The caller commits, together with whatever else makes the file a journal.
pub(super) fn migrate(transaction: &Transaction<'_>, from: i64) -> rusqlite::Result<()> {
    for migration in MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or_default()) {
        migration(transaction)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)
}

/// Whether a file has the tables of a format, but none of them ever had a row: versions of this program that made the
/// tables in one transaction and began the journal in another could be killed between the two. The mark of a running
/// server counts for nothing, because it says nothing about events.
pub(super) fn is_unused(connection: &Connection, format: i64) -> rusqlite::Result<bool> {
    for (kind, name) in things_of(format)?.keys() {
        if kind == "table" && name != "server" {
            let select = format!("SELECT EXISTS (SELECT 1 FROM \"{name}\")");
            if connection.query_row(&select, [], |row| row.get(0))? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
