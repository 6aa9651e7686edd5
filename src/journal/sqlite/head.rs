//! The head of the log: what the table `head` says, and whether the newest events and the witness file agree with it.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::error::JournalError;
use super::super::log::ReadLimit;
use super::error::unavailable;
use super::witness::Remembered;
use super::{chain, events};
use crate::contract::StreamId;

/// How many of the newest events are checked when a file is opened.
const TAIL: u64 = 1_000;

/// The newest and the oldest event of the log, as the table `head` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) position: u64,
    pub(super) checksum: i64,
    pub(super) oldest: u64,
    /// The checksum that the oldest event is chained to.
    pub(super) base: i64,
}

impl Head {
    /// The head of a log without events.
    pub(super) const EMPTY: Self =
        Self { position: 0, checksum: chain::ORIGIN, oldest: 1, base: chain::ORIGIN };

    /// The checksum of the row itself. No other check would notice a changed stream name or a changed oldest position.
    pub(super) fn seal(&self, stream: &StreamId) -> i64 {
        let Self { position, checksum, oldest, base } = self;
        chain::of_text(&format!("{stream} {position} {checksum} {oldest} {base}"))
    }
}

/// The stream and the head of a file, and the seal that was stored with them; `None` if the file is new.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Option<(StreamId, Head, i64)>> {
    let row = connection
        .query_row("SELECT stream, position, checksum, oldest, base, seal FROM head", [], |row| {
            let head =
                Head { position: row.get(1)?, checksum: row.get(2)?, oldest: row.get(3)?, base: row.get(4)? };
            Ok((row.get::<_, String>(0)?, head, row.get(5)?))
        })
        .optional()?;
    let Some((stream, head, seal)) = row else { return Ok(None) };
    let stream = stream.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })?;
    Ok(Some((stream, head, seal)))
}

/// Writes the head with its seal.
pub(super) fn store(connection: &Connection, stream: &StreamId, head: Head) -> rusqlite::Result<()> {
    let Head { position, checksum, oldest, base } = head;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO head (id, stream, position, checksum, oldest, base, seal)
             VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![stream.as_str(), position, checksum, oldest, base, head.seal(stream)])?;
    Ok(())
}

/// Checks that the newest events are intact and end at the position that the head has.
pub(super) fn verify(connection: &Connection, head: Head) -> Result<(), JournalError> {
    let newest: Option<u64> = connection
        .query_row("SELECT max(position) FROM events", [], |row| row.get(0))
        .map_err(unavailable)?;
    let kept = head.position + 1 - head.oldest.min(head.position + 1);
    if newest.unwrap_or(head.position) != head.position || (newest.is_none() && kept > 0) {
        let newest = newest.map_or_else(
            || "the journal has no events".to_owned(),
            |newest| format!("the newest event is {newest}"),
        );
        let what = format!("{newest}, but the table `head` says {}", head.position);
        return Err(JournalError::Damaged { position: head.position, what });
    }
    // A read ends before a damaged event, and the next one fails.
    let mut after = head.position.saturating_sub(TAIL);
    while let Some(last) =
        events::read(connection, after, head.position, ReadLimit::events(TAIL as usize))?.last()
    {
        after = last.position;
    }
    let checksum: Option<i64> = connection
        .query_row("SELECT checksum FROM events WHERE position = ?1", [head.position], |row| row.get(0))
        .optional()
        .map_err(unavailable)?;
    if kept > 0 && checksum != Some(head.checksum) {
        let what = "its checksum is not the one in the table `head`".to_owned();
        return Err(JournalError::Damaged { position: head.position, what });
    }
    Ok(())
}

/// What a comparison with the witness file says about the newest events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tail {
    /// They are the events that were published.
    Whole,
    /// The witness file does not say whether they are.
    Unknown,
    /// The published events with these positions are missing.
    Lost { from: u64, to: u64 },
}

/// Compares the journal with the last commit in the witness file.
pub(super) fn compare(connection: &Connection, head: Head, remembered: Remembered) -> rusqlite::Result<Tail> {
    let agrees = match remembered {
        Remembered::Nothing => head.position == 0,
        Remembered::Unreadable => false,
        Remembered::Commit(last) if last.position > head.position => {
            return Ok(Tail::Lost { from: head.position + 1, to: last.position });
        }
        Remembered::Commit(last) if last.position == head.position => last.checksum == head.checksum,
        // The process ended after a commit, before it wrote the witness file.
        Remembered::Commit(last) => {
            let stored: Option<i64> = connection
                .query_row("SELECT checksum FROM events WHERE position = ?1", [last.position], |row| {
                    row.get(0)
                })
                .optional()?;
            match stored {
                Some(checksum) => checksum == last.checksum,
                None if last.position + 1 == head.oldest => last.checksum == head.base,
                // Retention has dropped the event since.
                None => last.position < head.oldest,
            }
        }
    };
    Ok(if agrees { Tail::Whole } else { Tail::Unknown })
}
