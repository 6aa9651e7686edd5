//! Retention: drops old events from the file.

use rusqlite::{OptionalExtension, Transaction, params};

use super::super::log::Retention;
use super::head::Head;

/// The most events that one commit drops, so that retention never delays appends for long.
const DROP: u64 = 2_000;

/// Drops the oldest events above the limits, but never an event of an open incident. Returns whether there are more to
/// drop.
pub(super) fn retain(
    transaction: &Transaction<'_>,
    head: &mut Head,
    retention: Retention,
) -> rusqlite::Result<bool> {
    let surplus = (head.position + 1 - head.oldest).saturating_sub(retention.events as u64);
    let mut keep_from = head.oldest + surplus;
    if let Some(age) = retention.age {
        let before =
            crate::contract::now().as_microsecond() - i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        // Times never go back, so the events that are too old come first.
        let young: Option<u64> = transaction
            .prepare_cached("SELECT position FROM events WHERE position >= ?1 AND time_us >= ?2 ORDER BY position LIMIT 1")?
            .query_row(params![head.oldest, before], |row| row.get(0))
            .optional()?;
        keep_from = keep_from.max(young.unwrap_or(head.position + 1));
    }
    let open: Option<u64> = transaction
        .prepare_cached("SELECT min(start) FROM incidents WHERE ended = 0")?
        .query_row([], |row| row.get(0))?;
    let target = keep_from.min(open.unwrap_or(u64::MAX));
    let keep_from = target.min(head.oldest + DROP);
    if keep_from <= head.oldest {
        return Ok(false);
    }
    head.base =
        transaction.query_row("SELECT checksum FROM events WHERE position = ?1", [keep_from - 1], |row| {
            row.get(0)
        })?;
    head.oldest = keep_from;
    transaction.execute("DELETE FROM events WHERE position < ?1", [keep_from])?;
    super::keys::forget(transaction, keep_from)?;
    transaction.execute("DELETE FROM incidents WHERE ended <> 0 AND ended < ?1", [keep_from])?;
    Ok(keep_from < target)
}
