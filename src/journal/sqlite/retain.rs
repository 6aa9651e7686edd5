//! Retention: which events are dropped.

use rusqlite::{OptionalExtension, Transaction, params};

use super::super::log::Retention;
use super::head::Head;

/// Events dropped by one commit: retention never holds up appends for long.
const DROP: u64 = 2_000;

/// Drops what is too much or too old, the oldest first, never an event of an incident that is open. Whether more is
/// left to drop.
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
        // Times never fall: the events that are old enough are the first ones.
        let young: Option<u64> = transaction
            .prepare_cached("SELECT position FROM events WHERE position >= ?1 AND time_us >= ?2 ORDER BY position LIMIT 1")?
            .query_row(params![head.oldest, before], |row| row.get(0))
            .optional()?;
        keep_from = keep_from.max(young.unwrap_or(head.position + 1));
    }
    let open: Option<u64> = transaction
        .prepare_cached("SELECT min(start) FROM incidents WHERE ended = 0")?
        .query_row([], |row| row.get(0))?;
    let wanted = keep_from.min(open.unwrap_or(u64::MAX));
    let keep_from = wanted.min(head.oldest + DROP);
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
    Ok(keep_from < wanted)
}
