//! Retention: drops old events from the file.

use rusqlite::Transaction;

use super::head::Head;

/// The most events that one commit drops, so that retention never delays appends for long.
const DROP: u64 = 2_000;

/// The ids of ended incidents are kept until so many further events are dropped.
const IDS: u64 = 200_000;

/// Drops the oldest events until at most `most` are kept and all are newer than `expired`. Never drops an event of an
/// open incident, nor one after `before`, the head before this commit: nobody could have seen it. Returns whether there
/// are more to drop.
pub(super) fn retain(
    transaction: &Transaction<'_>,
    head: &mut Head,
    before: u64,
    most: usize,
    expired: u64,
) -> rusqlite::Result<bool> {
    let surplus = (head.position + 1 - head.oldest).saturating_sub(most as u64);
    let wanted = (head.oldest + surplus).max(expired + 1);
    if wanted <= head.oldest {
        return Ok(false);
    }
    let open: Option<u64> = transaction
        .prepare_cached("SELECT min(start) FROM incidents WHERE ended = 0")?
        .query_row([], |row| row.get(0))?;
    let target = wanted.min(open.unwrap_or(u64::MAX));
    let keep_from = target.min(head.oldest + DROP).min(before + 1);
    if keep_from <= head.oldest {
        return Ok(keep_from < target);
    }
    head.base =
        transaction.query_row("SELECT checksum FROM events WHERE position = ?1", [keep_from - 1], |row| {
            row.get(0)
        })?;
    head.oldest = keep_from;
    transaction.execute("DELETE FROM events WHERE position < ?1", [keep_from])?;
    super::keys::forget(transaction, keep_from)?;
    // An incident's id is not free as soon as its events are gone: it would name two incidents, and a publisher's late
    // repeat would be a new one.
    let gone = keep_from.saturating_sub(IDS);
    transaction.execute("DELETE FROM incidents WHERE start < ?1 AND ended <> 0 AND ended < ?1", [gone])?;
    Ok(keep_from < target)
}
