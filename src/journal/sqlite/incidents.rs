//! The table of incidents against the events, which alone have a chain: an index or a row of it that lies would make
//! an incident vanish, or its events be appended twice.

use rusqlite::{Connection, OptionalExtension, params};

use crate::contract::MessageType;

/// Ended incidents that are looked at when a file is opened.
const NEWEST: i64 = 1_000;

/// What is wrong with the incidents that are open and the newest that ended; `None` if nothing is. Bounded by what
/// happened since the oldest of the open ones began.
pub(super) fn verify(connection: &Connection) -> rusqlite::Result<Option<String>> {
    // The table is small, and its indexes are what finds an open incident.
    let pages: String = connection.query_row("PRAGMA integrity_check(incidents)", [], |row| row.get(0))?;
    if pages != "ok" {
        return Ok(Some(format!("the table of incidents: {pages}")));
    }
    if let Some(subject) = misplaced(connection, NEWEST)? {
        return Ok(Some(format!("{subject} does not begin or end where the table of incidents says")));
    }
    Ok(unfinished(connection)?
        .map(|subject| format!("the events of {subject} are not what their index says")))
}

/// As [`verify`], of all incidents. SQLite's check of all pages is the caller's.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Option<String>> {
    if let Some(subject) = misplaced(connection, i64::MAX)? {
        return Ok(Some(format!("{subject} does not begin or end where the table of incidents says")));
    }
    let strangers: Option<String> = connection
        .query_row(
            "SELECT e.subject FROM events e WHERE e.idx = 1
             AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.subject = e.subject) LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(subject) = strangers {
        return Ok(Some(format!("{subject} is not in the table of incidents")));
    }
    Ok(unfinished(connection)?
        .map(|subject| format!("the events of {subject} are not what their index says")))
}

/// An incident whose first or last event is not where its row says, of the newest `limit`.
fn misplaced(connection: &Connection, limit: i64) -> rusqlite::Result<Option<String>> {
    let oldest: u64 = connection.query_row("SELECT oldest FROM head", [], |row| row.get(0))?;
    let mut statement = connection.prepare(
        "SELECT i.subject, i.start,
                (SELECT e.subject = i.subject AND e.idx = 1 FROM events e WHERE e.position = i.start),
                i.ended,
                (SELECT e.subject = i.subject AND e.type = ?1 FROM events e WHERE e.position = i.ended)
         FROM incidents i ORDER BY i.start DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![MessageType::IncidentResolved.as_str(), limit])?;
    while let Some(row) = rows.next()? {
        let (start, ended): (u64, u64) = (row.get(1)?, row.get(3)?);
        let begins = row.get::<_, Option<bool>>(2)?.unwrap_or(start < oldest);
        let ends = ended == 0 || row.get::<_, Option<bool>>(4)?.unwrap_or(false);
        if !(begins && ends) {
            return row.get(0).map(Some);
        }
    }
    Ok(None)
}

/// An open incident of which the table of events has more or other events than their index, or its end.
fn unfinished(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let start: Option<u64> =
        connection.query_row("SELECT min(start) FROM incidents WHERE ended = 0", [], |row| row.get(0))?;
    let Some(start) = start else { return Ok(None) };
    let mut statement = connection.prepare(
        "SELECT i.subject,
                (SELECT max(x.idx) FROM events x INDEXED BY events_by_incident WHERE x.subject = i.subject),
                e.newest, e.many, e.ends
         FROM incidents i JOIN (
             SELECT subject, max(idx) AS newest, count(*) AS many, sum(type = ?1) AS ends
             FROM events NOT INDEXED WHERE position >= ?2 GROUP BY subject
         ) e ON e.subject = i.subject
         WHERE i.ended = 0",
    )?;
    let mut rows = statement.query(params![MessageType::IncidentResolved.as_str(), start])?;
    while let Some(row) = rows.next()? {
        let (indexed, newest, many, ends): (u64, u64, u64, u64) =
            (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        if (indexed, many, ends) != (newest, newest, 0) {
            return row.get(0).map(Some);
        }
    }
    Ok(None)
}
