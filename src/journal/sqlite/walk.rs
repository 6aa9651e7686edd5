//! Reads all events of a file in order and continues after damaged ones.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::super::error::JournalError;
use super::super::log::ReadLimit;
use super::super::record::Stored;
use super::error::unavailable;
use super::events;
use super::head::Head;
use crate::contract::Role;

/// How much one step reads.
const PAGE: ReadLimit = ReadLimit { events: 2_000, bytes: 4 * 1024 * 1024 };

/// A damaged place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    /// Position of the first damaged event.
    pub(super) position: u64,
    pub(super) what: String,
}

/// A walk from the oldest event to the head.
pub(super) struct Walk<'a> {
    connection: &'a Connection,
    head: Head,
    /// Position of the last event that was read, damaged or not.
    pub(super) at: u64,
    /// The checksum that the next event is chained to.
    pub(super) before: i64,
    /// Index of the newest event so far of each incident that has not ended so far.
    newest: HashMap<Arc<str>, u64>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(connection: &'a Connection, head: Head) -> Self {
        Self { connection, head, at: head.oldest - 1, before: head.base, newest: HashMap::new() }
    }

    /// The next events, or the next damage; `None` after the head.
    ///
    /// # Errors
    /// The file cannot be read any further.
    pub(super) fn step(&mut self) -> Result<Option<Result<Vec<Stored>, Damage>>, JournalError> {
        if self.at >= self.head.position {
            return Ok(None);
        }
        match events::chained(self.connection, self.at, self.before, self.head.position, PAGE) {
            Ok((page, before)) => {
                let last = page.last().map_or(self.head.position, |last| last.position);
                (self.at, self.before) = (last, before);
                Ok(Some(self.check_indices(&page).map_or(Ok(page), Err)))
            }
            Err(JournalError::Damaged { position, what }) => {
                self.skip_to(position)?;
                Ok(Some(Err(Damage { position, what })))
            }
            Err(error) => Err(error),
        }
    }

    /// Skips a damaged place: the walk continues after the first row at or after `position`.
    fn skip_to(&mut self, position: u64) -> Result<(), JournalError> {
        let next_row = |from: u64| {
            self.connection
                .prepare_cached(
                    "SELECT position, checksum FROM events WHERE position >= ?1 ORDER BY position LIMIT 1",
                )?
                .query_row([from], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        };
        let next: Option<(u64, i64)> = next_row(position).map_err(unavailable)?;
        (self.at, self.before) = next.unwrap_or((self.head.position, self.before));
        Ok(())
    }

    /// Checks that the indexes of each incident have no gaps.
    fn check_indices(&mut self, page: &[Stored]) -> Option<Damage> {
        let mut wrong = None;
        for event in page {
            let expected = self.newest.get(&event.subject).map(|index| index + 1);
            // The first event that is seen of an incident may have any index: retention or damage may have removed the
            // ones before.
            if expected.is_some_and(|expected| expected != event.index) {
                let what =
                    format!("it has the index {} in {}, after a gap or a repeat", event.index, event.subject);
                wrong.get_or_insert(Damage { position: event.position, what });
            }
            if event.kind.role() == Role::End {
                self.newest.remove(&event.subject);
            } else {
                self.newest.insert(Arc::clone(&event.subject), event.index);
            }
        }
        wrong
    }
}
