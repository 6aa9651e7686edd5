//! Reads all events of a file in order and continues after damaged ones.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::super::error::JournalError;
use super::super::log::ReadLimit;
use super::super::record::Stored;
use super::head::{self, Head, Hint};
use super::{chain, events};
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

/// A walk over the events.
pub(super) struct Walk<'a> {
    connection: &'a Connection,
    /// Where the walk ends.
    pub(super) until: u64,
    /// Position of the last event that was read, damaged or not.
    pub(super) at: u64,
    /// Position of the last event before the first damage.
    pub(super) sound_to: u64,
    /// The checksum that the next event is chained to.
    pub(super) before: i64,
    /// Index of the newest event so far of each incident; `None` once it has ended.
    newest: HashMap<Arc<str>, Option<u64>>,
    /// A damage behind the events that the last step returned.
    next: Option<Damage>,
    is_damaged: bool,
}

impl<'a> Walk<'a> {
    /// A walk over the events after `after`, whose checksum is `before`, up to `until`.
    pub(super) fn new(connection: &'a Connection, after: u64, before: i64, until: u64) -> Self {
        Self {
            connection,
            until,
            at: after,
            sound_to: after,
            before,
            newest: HashMap::new(),
            next: None,
            is_damaged: false,
        }
    }

    /// A walk over all events that are in the file, whatever the head says. If the head does not know the checksum
    /// before the first event, which nothing else can check either, the walk begins after that event; the first
    /// event of a stream needs no other.
    pub(super) fn all(connection: &'a Connection, hint: Option<Hint>) -> rusqlite::Result<Self> {
        let head = hint.map(|hint| hint.head);
        let (first, last) = match head::ends(connection) {
            Ok((Some(first), Some(last))) => (first, last),
            Ok(_) => {
                let head = head.unwrap_or(Head::EMPTY);
                return Ok(Self::new(connection, head.position, head.checksum, head.position));
            }
            // The first or the last event can't be read. What can be, the walk finds.
            Err(error) => head
                .map(|head| (head.oldest, head.position))
                .filter(|(first, last)| first <= last)
                .ok_or(error)?,
        };
        let before = match head {
            _ if first == 1 => Some(chain::ORIGIN),
            Some(head) if head.oldest == first && hint.is_some_and(|hint| hint.is_sealed) => Some(head.base),
            // A damaged head may be right in this.
            Some(head) if is_first_after(connection, first, head.base) => Some(head.base),
            _ => None,
        };
        if let Some(before) = before {
            return Ok(Self::new(connection, first.saturating_sub(1), before, last));
        }
        let own =
            connection
                .query_row("SELECT checksum FROM events WHERE position = ?1", [first], |row| row.get(0))?;
        Ok(Self::new(connection, first, own, last))
    }

    /// The next events, or the next damage; `None` at the end.
    pub(super) fn step(&mut self) -> Option<Result<Vec<Stored>, Damage>> {
        let step = match self.next.take() {
            Some(damage) => Err(damage),
            None if self.at >= self.until => return None,
            None => self.read(),
        };
        match &step {
            Ok(page) if !self.is_damaged => {
                self.sound_to = page.last().map_or(self.sound_to, |last| last.position);
            }
            Ok(_) => {}
            Err(_) => self.is_damaged = true,
        }
        Some(step)
    }

    fn read(&mut self) -> Result<Vec<Stored>, Damage> {
        match events::chained(self.connection, self.at, self.before, self.until, PAGE) {
            Ok((mut page, before)) => {
                let last = page.last().map_or(self.until, |last| last.position);
                (self.at, self.before) = (last, before);
                let Some(damage) = self.check_indices(&page) else { return Ok(page) };
                page.retain(|event| event.position < damage.position);
                if page.is_empty() {
                    return Err(damage);
                }
                self.next = Some(damage);
                Ok(page)
            }
            Err(JournalError::Damaged { position, what }) => match self.skip_to(position) {
                Ok(()) => Err(Damage { position, what }),
                Err(error) => Err(self.unreadable(&error)),
            },
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    /// Ends the walk where the file cannot be read any further.
    fn unreadable(&mut self, error: &dyn std::error::Error) -> Damage {
        let damage =
            Damage { position: self.at + 1, what: format!("{error}; later events were not checked") };
        self.at = self.until;
        damage
    }

    /// Skips a damaged place: the walk continues after the first row at or after `position`.
    fn skip_to(&mut self, position: u64) -> rusqlite::Result<()> {
        let next: Option<(u64, i64)> = self
            .connection
            .prepare_cached(
                "SELECT position, checksum FROM events WHERE position >= ?1 ORDER BY position LIMIT 1",
            )?
            .query_row([position], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        (self.at, self.before) = next.unwrap_or((self.until, self.before));
        Ok(())
    }

    /// Checks that the indexes of each incident have no gaps, and that nothing comes after its end: its id would name two
    /// incidents.
    fn check_indices(&mut self, page: &[Stored]) -> Option<Damage> {
        let mut wrong = None;
        for Stored { position, subject, index, kind, .. } in page {
            // The first event that is seen of an incident may have any index: retention or damage may have removed the
            // ones before.
            let what = match self.newest.get(subject) {
                Some(None) => Some(format!("it has the index {index} in {subject}, which has ended before")),
                Some(Some(newest)) if newest + 1 != *index => {
                    Some(format!("it has the index {index} in {subject}, after a gap or a repeat"))
                }
                _ => None,
            };
            if let Some(what) = what {
                wrong.get_or_insert(Damage { position: *position, what });
            }
            let newest = (kind.role() != Role::End).then_some(*index);
            self.newest.insert(Arc::clone(subject), newest);
        }
        wrong
    }
}

/// Whether the first event is chained to this checksum.
fn is_first_after(connection: &Connection, first: u64, base: i64) -> bool {
    let one = ReadLimit { events: 1, ..PAGE };
    events::chained(connection, first.saturating_sub(1), base, first, one).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::chain::Row;
    use super::super::schema;
    use super::*;

    #[test]
    fn an_incident_that_goes_on_after_its_end_is_damaged_there() -> rusqlite::Result<()> {
        for (index, after) in [(1, "incident_started"), (5, "agent_action"), (5, "incident_resolved")] {
            let mut connection = Connection::open_in_memory()?;
            let transaction = connection.transaction()?;
            schema::migrate(&transaction, 0)?;
            let mut head = Head { position: 4, oldest: 1, ..Head::EMPTY };
            let events =
                [(3, "agent_action"), (4, "incident_resolved"), (1, "incident_started"), (index, after)];
            for (position, (index, kind)) in (1..).zip(events) {
                let subject = if position == 3 { "other" } else { "over" };
                let row = Row { position, time_us: 0, subject, index, kind, data: "{}" };
                head.checksum = events::insert(&transaction, head.checksum, &row)?;
            }
            let mut walk = Walk::all(&transaction, Some(Hint { head, is_sealed: true }))?;
            let mut damaged = Vec::new();
            while let Some(step) = walk.step() {
                damaged.extend(step.err().map(|damage| damage.position));
            }
            assert_eq!((damaged, walk.sound_to), (vec![4], 3), "{index} {after}");
        }
        Ok(())
    }
}
