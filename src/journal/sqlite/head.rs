//! The head of the log: what the table `head` says, and whether the events and the witness file agree with it.

use rusqlite::{Connection, OptionalExtension, params};

use super::chain;
use super::witness::{LastCommit, Remembered};
use crate::contract::StreamId;

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

    /// The commit that the witness file remembers of it.
    pub(super) fn last_commit(&self, stream: &StreamId) -> LastCommit {
        let stream = Some(chain::of_text(stream.as_str()));
        LastCommit { position: self.position, checksum: self.checksum, stream }
    }

    /// The checksum of the row itself. No other check would notice a changed stream name or a changed oldest position.
    pub(super) fn seal(&self, stream: &StreamId) -> i64 {
        let Self { position, checksum, oldest, base } = self;
        chain::of_text(&format!("{stream} {position} {checksum} {oldest} {base}"))
    }
}

/// The stream and the head of a file, and the seal that was stored with them; `None` if the file is new.
pub(super) fn load(connection: &Connection) -> rusqlite::Result<Option<(StreamId, Head, i64)>> {
    let row = connection
        .prepare_cached("SELECT stream, position, checksum, oldest, base, seal FROM head")?
        .query_row([], |row| {
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

/// Two queries, because SQLite reads the whole table for one that asks for both ends.
const ENDS: &str = "SELECT (SELECT min(position) FROM events), (SELECT max(position) FROM events)";

/// The positions of the first and of the last event in the table.
pub(super) fn ends(connection: &Connection) -> rusqlite::Result<(Option<u64>, Option<u64>)> {
    connection.prepare_cached(ENDS)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// What a head says of the events, also if it may be damaged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hint {
    pub(super) head: Head,
    /// Whether its checksum matches.
    pub(super) is_sealed: bool,
}

/// What the head of a file says, which may be damaged; `None` if it can't be read.
pub(super) fn hint(connection: &Connection) -> Option<Hint> {
    let (stream, head, seal) = load(connection).ok().flatten()?;
    Some(Hint { head, is_sealed: head.seal(&stream) == seal })
}

/// What is wrong if the events are not those from the oldest to the newest position of the head.
pub(super) fn misfit(connection: &Connection, head: Head) -> rusqlite::Result<Option<String>> {
    let Head { position, oldest, .. } = head;
    let (first, last) = ends(connection)?;
    let is_empty = position + 1 == oldest;
    Ok(match (first, last) {
        (None, _) | (_, None) if is_empty => None,
        (None, _) | (_, None) => {
            Some(format!("the journal has no events, but the table `head` says {position}"))
        }
        (_, Some(last)) if last != position => {
            Some(format!("the newest event is {last}, but the table `head` says {position}"))
        }
        (Some(first), _) if first < oldest => {
            Some(format!("the oldest event is {first}, but the table `head` says {oldest}"))
        }
        // A missing first event is told by the walk.
        _ => None,
    })
}

/// What is missing, if the last commit in the witness file is newer than the head.
pub(super) fn lost(
    connection: &Connection,
    head: Head,
    remembered: Remembered,
) -> rusqlite::Result<Option<String>> {
    Ok(match compare(connection, head, remembered)? {
        Tail::Lost { from, to } => Some(format!("events {from} to {to} were published and are missing")),
        Tail::Whole | Tail::Unknown => None,
    })
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

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::super::{chain, events, schema};
    use super::*;

    #[test]
    fn the_ends_of_the_log_are_found_without_reading_the_events() -> rusqlite::Result<()> {
        let mut connection = Connection::open_in_memory()?;
        let transaction = connection.transaction()?;
        schema::migrate(&transaction, 0)?;
        for position in 3..=5_000 {
            let row = chain::Row { position, time_us: 0, subject: "a", index: 1, kind: "note", data: "{}" };
            events::insert(&transaction, 0, &row)?;
        }
        transaction.commit()?;
        assert_eq!(ends(&connection)?, (Some(3), Some(5_000)));
        let steps = connection.prepare_cached(ENDS)?.get_status(StatementStatus::VmStep);
        assert!(steps < 100, "{steps} steps");
        Ok(())
    }
}
