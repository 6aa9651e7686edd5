//! Every event of a file in order, past what is damaged.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::super::error::JournalError;
use super::super::log::ReadLimit;
use super::super::record::Stored;
use super::events;
use super::head::Head;
use super::trouble::unavailable;
use crate::contract::Role;

/// Events read at once.
const PAGE: ReadLimit = ReadLimit { events: 2_000, bytes: 4 * 1024 * 1024 };

/// A damaged place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    /// The first event that is not what it was.
    pub(super) position: u64,
    pub(super) what: String,
}

/// Reads from the oldest event to the head.
pub(super) struct Walk<'a> {
    connection: &'a Connection,
    head: Head,
    /// The last event that was passed, sound or not.
    pub(super) at: u64,
    /// The checksum that the next one is chained to.
    pub(super) before: i64,
    /// Index of the newest event of each incident that is open at this place.
    reached: HashMap<Arc<str>, u64>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(connection: &'a Connection, head: Head) -> Self {
        Self { connection, head, at: head.oldest - 1, before: head.base, reached: HashMap::new() }
    }

    /// The next sound events, or what is wrong with the next ones; `None` behind the head.
    ///
    /// # Errors
    /// The file can't be read any further.
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
                self.pass(position)?;
                Ok(Some(Err(Damage { position, what })))
            }
            Err(error) => Err(error),
        }
    }

    /// Goes on behind a damaged place, with the next event that is there at all.
    fn pass(&mut self, position: u64) -> Result<(), JournalError> {
        let there = |from: u64| {
            self.connection
                .prepare_cached(
                    "SELECT position, checksum FROM events WHERE position >= ?1 ORDER BY position LIMIT 1",
                )?
                .query_row([from], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()
        };
        let next: Option<(u64, i64)> = there(position).map_err(unavailable)?;
        (self.at, self.before) = next.unwrap_or((self.head.position, self.before));
        Ok(())
    }

    /// An incident's events are gapless too.
    fn check_indices(&mut self, page: &[Stored]) -> Option<Damage> {
        let mut wrong = None;
        for event in page {
            let expected = self.reached.get(&event.subject).map(|reached| reached + 1);
            // What began before the oldest event, and what stands behind a damaged place, begins anywhere.
            if expected.is_some_and(|expected| expected != event.index) {
                let what =
                    format!("it is event {} of {} behind a gap or a repeat", event.index, event.subject);
                wrong.get_or_insert(Damage { position: event.position, what });
            }
            if event.kind.role() == Role::End {
                self.reached.remove(&event.subject);
            } else {
                self.reached.insert(Arc::clone(&event.subject), event.index);
            }
        }
        wrong
    }
}
