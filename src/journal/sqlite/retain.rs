//! Retention: drops old events from the file.

use std::time::{Duration, Instant};

use rusqlite::Transaction;

use super::head::Head;

/// Events that are dropped between two looks at the clock.
const SLICE: u64 = 64;

/// How long a commit goes on dropping more than it has to: appends wait meanwhile.
pub(super) const SPELL: Duration = Duration::from_millis(1);

/// The ids of ended incidents are kept until so many further events are dropped.
const IDS: u64 = 200_000;

/// Drops the oldest events until at most `most` are kept and all are newer than `expired`. Never drops an event of an
/// open incident, nor one after `before`, the head before this commit: nobody could have seen it. Returns whether there
/// are more to drop.
///
/// A commit drops more than it has added, so that the journal does not grow, and then goes on for `spell` at most: how
/// many events that is depends on their size, on their keys and on the disk from which their pages are read.
pub(super) fn retain(
    transaction: &Transaction<'_>,
    head: &mut Head,
    before: u64,
    most: usize,
    expired: u64,
    spell: Duration,
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
    let keep_from = target.min(before + 1);
    if keep_from <= head.oldest {
        return Ok(keep_from < target);
    }
    let least = head.oldest + head.position.saturating_sub(before);
    let start = Instant::now();
    loop {
        drop_before(transaction, head, keep_from.min(head.oldest + SLICE))?;
        if head.oldest >= keep_from || (head.oldest > least && start.elapsed() >= spell) {
            break;
        }
    }
    // An incident's id is not free as soon as its events are gone: it would name two incidents, and a publisher's late
    // repeat would be a new one.
    let gone = head.oldest.saturating_sub(IDS);
    transaction
        .prepare_cached("DELETE FROM incidents WHERE start < ?1 AND ended <> 0 AND ended < ?1")?
        .execute([gone])?;
    Ok(head.oldest < target)
}

/// Drops the events before a position, with their keys.
fn drop_before(transaction: &Transaction<'_>, head: &mut Head, oldest: u64) -> rusqlite::Result<()> {
    head.base = transaction
        .prepare_cached("SELECT checksum FROM events WHERE position = ?1")?
        .query_row([oldest - 1], |row| row.get(0))?;
    head.oldest = oldest;
    transaction.prepare_cached("DELETE FROM events WHERE position < ?1")?.execute([oldest])?;
    super::keys::forget(transaction, oldest)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::super::{chain, events, schema};
    use super::*;

    #[test]
    fn a_commit_drops_more_than_it_adds_and_the_rest_in_small_parts() -> rusqlite::Result<()> {
        let mut connection = Connection::open_in_memory()?;
        let transaction = connection.transaction()?;
        schema::migrate(&transaction, 0)?;
        let mut head = Head::EMPTY;
        for position in 1..=10_000 {
            let row = chain::Row { position, time_us: 0, subject: "a", index: 1, kind: "note", data: "{}" };
            head.checksum = events::insert(&transaction, head.checksum, &row)?;
            head.position = position;
        }
        // It has added 500 events, and 9,900 are too many.
        let mut more = retain(&transaction, &mut head, 9_500, 100, 0, Duration::ZERO)?;
        let dropped = head.oldest - 1;
        assert!(more && (501..=500 + SLICE).contains(&dropped), "{dropped} were dropped");
        let mut parts = 0;
        while more {
            let before = head.oldest;
            more = retain(&transaction, &mut head, 10_000, 100, 0, Duration::ZERO)?;
            assert!(head.oldest > before && head.oldest <= before + SLICE);
            parts += 1;
        }
        assert!(parts > 100, "{parts} parts");
        assert_eq!(
            (head.oldest, super::super::head::ends(&transaction)?),
            (9_901, (Some(9_901), Some(10_000)))
        );
        assert_eq!(super::super::head::misfit(&transaction, head)?, None);
        Ok(())
    }
}
