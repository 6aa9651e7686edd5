//! Reading and inserting events. Every read checks the checksums.

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use serde_json::value::RawValue;

use super::super::error::JournalError;
use super::super::log::ReadLimit;
use super::super::record::Stored;
use super::chain::{self, Row};
use super::error::unavailable;
use crate::contract::MessageType;

/// The events after `after` and up to `head`, within `limit`, each checked against the one before. Reads a snapshot,
/// because retention may drop events in the meantime.
pub(super) fn read(
    connection: &Connection,
    after: u64,
    head: u64,
    limit: ReadLimit,
) -> Result<Vec<Stored>, JournalError> {
    let transaction = connection.unchecked_transaction().map_err(unavailable)?;
    let (oldest, base): (u64, i64) = transaction
        .prepare_cached("SELECT oldest, base FROM head")
        .and_then(|mut statement| statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?))))
        .map_err(unavailable)?;
    let after = after.max(oldest - 1);
    if after >= head || limit.events == 0 {
        return Ok(Vec::new());
    }
    let before = if after < oldest {
        base
    } else {
        transaction
            .prepare_cached("SELECT checksum FROM events WHERE position = ?1")
            .and_then(|mut statement| statement.query_row([after], |row| row.get(0)).optional())
            .map_err(unavailable)?
            .ok_or_else(|| damaged(after, "it is missing"))?
    };
    chained(&transaction, after, before, head, limit).map(|(events, _)| events)
}

/// As [`read`], for a caller that knows the checksum of the event at `after`. Also returns the checksum of the last
/// event that was read. The events end before a damaged one; if the first one is damaged, that is an error.
pub(super) fn chained(
    connection: &Connection,
    after: u64,
    mut before: i64,
    head: u64,
    limit: ReadLimit,
) -> Result<(Vec<Stored>, i64), JournalError> {
    let mut statement = connection
        .prepare_cached(
            "SELECT position, time_us, subject, idx, type, data, checksum FROM events
             WHERE position > ?1 AND position <= ?2 ORDER BY position LIMIT ?3",
        )
        .map_err(unavailable)?;
    let most = i64::try_from(limit.events).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![after, head, most]).map_err(unavailable)?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    while bytes < limit.bytes {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            // What came before it can be read.
            Err(_) if !events.is_empty() => break,
            Err(error) => return Err(unavailable(error)),
        };
        let expected = after + 1 + events.len() as u64;
        match sound(row, expected, before) {
            Ok((event, checksum)) => {
                before = checksum;
                bytes += event.data.get().len();
                events.push(event);
            }
            Err(error) if events.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    if events.is_empty() {
        return Err(damaged(after + 1, "it is missing"));
    }
    Ok((events, before))
}

/// The event of a row and its checksum. The row must have the expected position and be chained to `before`.
fn sound(row: &rusqlite::Row<'_>, expected: u64, before: i64) -> Result<(Stored, i64), JournalError> {
    let fields = (|| {
        let fields = Row {
            position: row.get(0)?,
            time_us: row.get(1)?,
            subject: row.get_ref(2)?.as_str()?,
            index: row.get(3)?,
            kind: row.get_ref(4)?.as_str()?,
            data: row.get_ref(5)?.as_str()?,
        };
        Ok::<_, rusqlite::Error>((fields, row.get(6)?))
    })();
    let (fields, checksum) = fields.map_err(|error| damaged(expected, &error.to_string()))?;
    if fields.position != expected {
        return Err(damaged(expected, "it is missing"));
    }
    if chain::checksum(before, &fields) != checksum {
        return Err(damaged(expected, "its checksum does not match"));
    }
    let event = stored(&fields).ok_or_else(|| damaged(expected, "its columns are not those of an event"))?;
    Ok((event, checksum))
}

fn damaged(position: u64, what: &str) -> JournalError {
    JournalError::Damaged { position, what: what.to_owned() }
}

/// Inserts events. A commit has many, so the prepared statement is looked up once for all of them.
pub(super) struct Insert<'a>(CachedStatement<'a>);

impl<'a> Insert<'a> {
    pub(super) fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        let statement = connection.prepare_cached(
            "INSERT INTO events (position, time_us, subject, idx, type, data, checksum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        Ok(Self(statement))
    }

    /// Inserts an event, chained to the checksum `before`. Returns the event's own checksum.
    pub(super) fn row(&mut self, before: i64, row: &Row<'_>) -> rusqlite::Result<i64> {
        let checksum = chain::checksum(before, row);
        let Row { position, time_us, subject, index, kind, data } = row;
        self.0.execute(params![position, time_us, subject, index, kind, data, checksum])?;
        Ok(checksum)
    }
}

/// Inserts one event, as [`Insert::row`].
pub(super) fn insert(connection: &Connection, before: i64, row: &Row<'_>) -> rusqlite::Result<i64> {
    Insert::new(connection)?.row(before, row)
}

fn stored(row: &Row<'_>) -> Option<Stored> {
    let data = RawValue::from_string(row.data.to_owned()).ok()?;
    Some(Stored {
        position: row.position,
        time: Timestamp::from_microsecond(row.time_us).ok()?,
        subject: row.subject.into(),
        index: row.index,
        kind: MessageType::from_name(row.kind)?,
        data,
    })
}
