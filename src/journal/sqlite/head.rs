//! The head of the log: what the file says of it, whether the tail bears it out, and whether the witness agrees.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::JournalError;
use super::witness::Testimony;
use super::{chain, events, unavailable};
use crate::contract::StreamId;

/// Events whose chain is checked when a file is opened.
const TAIL: u64 = 1_000;

/// The newest event and where the log begins, as in the table `head`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) position: u64,
    pub(super) checksum: i64,
    pub(super) oldest: u64,
    /// The checksum before the oldest.
    pub(super) base: i64,
}

/// The stream and head of a file; both are made in a new one.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<(StreamId, Head)> {
    let row = connection
        .query_row("SELECT stream, position, checksum, oldest, base FROM head", [], |row| {
            let head =
                Head { position: row.get(1)?, checksum: row.get(2)?, oldest: row.get(3)?, base: row.get(4)? };
            Ok((row.get::<_, String>(0)?, head))
        })
        .optional()?;
    if let Some((stream, head)) = row {
        let stream = stream.parse().map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
        })?;
        return Ok((stream, head));
    }
    let stream = StreamId::fresh();
    let head = Head { position: 0, checksum: chain::ORIGIN, oldest: 1, base: chain::ORIGIN };
    connection.execute(
        "INSERT INTO head (id, stream, position, checksum, oldest, base) VALUES (0, ?1, 0, ?2, 1, ?2)",
        params![stream.as_str(), chain::ORIGIN],
    )?;
    Ok((stream, head))
}

/// The tail is whole and ends where the head says.
pub(super) fn verify(connection: &Connection, head: Head) -> Result<(), JournalError> {
    let newest: Option<u64> = connection
        .query_row("SELECT max(position) FROM events", [], |row| row.get(0))
        .map_err(|error| unavailable(&error))?;
    let kept = head.position + 1 - head.oldest.min(head.position + 1);
    if newest.unwrap_or(head.position) != head.position || (newest.is_none() && kept > 0) {
        let what = format!("the newest event is {newest:?}, the head says {}", head.position);
        return Err(JournalError::Damaged { position: head.position, what });
    }
    let after = head.position.saturating_sub(TAIL);
    let tail = events::read(connection, after, head.position, TAIL as usize)?;
    let checksum: Option<i64> = connection
        .query_row("SELECT checksum FROM events WHERE position = ?1", [head.position], |row| row.get(0))
        .optional()
        .map_err(|error| unavailable(&error))?;
    if !tail.is_empty() && checksum != Some(head.checksum) {
        let what = "its checksum is not the head's".to_owned();
        return Err(JournalError::Damaged { position: head.position, what });
    }
    Ok(())
}

/// Compares the file with what the witness remembers. Where nobody can say whether the tail is whole, the log goes
/// on as a new stream: a position is never used twice in one.
pub(super) fn testify(
    connection: &Connection,
    stream: StreamId,
    head: Head,
    testimony: Testimony,
) -> rusqlite::Result<Result<StreamId, String>> {
    let agrees = match testimony {
        Testimony::Silent => head.position == 0,
        Testimony::Unreadable => false,
        Testimony::Told(told) if told.position > head.position => {
            let (from, to) = (head.position + 1, told.position);
            return Ok(Err(format!(
                "events {from} to {to} were told to clients and are not in it any more; restore a copy, or move the \
                 file away to begin a new one"
            )));
        }
        Testimony::Told(told) if told.position == head.position => told.checksum == head.checksum,
        // The process ended between a commit and the word of it.
        Testimony::Told(told) => {
            let there: Option<i64> = connection
                .query_row("SELECT checksum FROM events WHERE position = ?1", [told.position], |row| {
                    row.get(0)
                })
                .optional()?;
            told.position < head.oldest || there == Some(told.checksum)
        }
    };
    if agrees {
        return Ok(Ok(stream));
    }
    let anew = StreamId::fresh();
    tracing::warn!(old = %stream, new = %anew, "nothing vouches for the journal's tail: it goes on as a new stream");
    connection.execute("UPDATE head SET stream = ?1", [anew.as_str()])?;
    Ok(Ok(anew))
}
