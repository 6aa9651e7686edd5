//! The table `keys`: the names that publishers gave to their events. A key is kept as long as its event. Each row has a
//! checksum, because a wrong row would turn a publisher's new event into a repeat; and every event that has a name has a
//! row, because a missing one would turn a repeat into a new event.

use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;

use super::super::record::{Key, KeyedEvent, UNKNOWN_DIGEST};
use super::chain;
use crate::contract::Origin;

const NAMED: &str =
    "SELECT k.position, e.idx, k.digest, k.checksum FROM keys k JOIN events e ON e.position = k.position
     WHERE k.source = ?1 AND k.id = ?2";

/// The event with this key. A damaged row is ignored.
pub(super) fn find(connection: &Connection, key: &Key) -> rusqlite::Result<Option<KeyedEvent>> {
    named(connection, &key.source, &key.id)
}

/// The event to which a publisher gave this name. A damaged row is ignored.
pub(super) fn named(connection: &Connection, source: &str, id: &str) -> rusqlite::Result<Option<KeyedEvent>> {
    let row =
        connection.prepare_cached(NAMED)?.query_row([source, id], |row| Ok(fields(row).ok())).optional()?;
    Ok(row.flatten().and_then(|(keyed, checksum)| {
        (checksum == of_row(source, id, keyed.position, &keyed.digest)).then_some(keyed)
    }))
}

/// A row of [`find`] with its checksum. A damaged row may have a value of another type.
fn fields(row: &rusqlite::Row<'_>) -> rusqlite::Result<(KeyedEvent, i64)> {
    Ok((KeyedEvent { position: row.get(0)?, index: row.get(1)?, digest: row.get(2)? }, row.get(3)?))
}

/// Inserts the key of an event that is inserted in the same transaction.
pub(super) fn insert(connection: &Connection, key: &Key, position: u64) -> rusqlite::Result<()> {
    let checksum = of_row(&key.source, &key.id, position, &key.digest);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO keys (source, id, position, digest, checksum) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![key.source, key.id, position, key.digest, checksum])?;
    Ok(())
}

/// Deletes the keys of events before a position.
pub(super) fn forget(connection: &Connection, before: u64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM keys WHERE position < ?1")?.execute([before])?;
    Ok(())
}

/// Copies the keys of events from one position to another into another file. A damaged row is left out.
pub(super) fn copy(from: &Connection, to: &Connection, oldest: u64, newest: u64) -> rusqlite::Result<()> {
    let Ok(mut statement) = from
        .prepare("SELECT source, id, position, digest, checksum FROM keys WHERE position BETWEEN ?1 AND ?2")
    else {
        return Ok(());
    };
    let mut rows = statement.query([oldest, newest])?;
    while let Ok(Some(row)) = rows.next() {
        let fields = (|| {
            let key = Key { source: row.get(0)?, id: row.get(1)?, digest: row.get(3)? };
            Ok::<_, rusqlite::Error>((key, row.get::<_, u64>(2)?, row.get::<_, i64>(4)?))
        })();
        let Ok((key, position, checksum)) = fields else { continue };
        if checksum == of_row(&key.source, &key.id, position, &key.digest) {
            insert(to, &key, position)?;
        }
    }
    Ok(())
}

/// What an event says of its name.
#[derive(Deserialize)]
struct Named {
    origin: Option<Origin>,
}

/// Whether an event with this `data` was published, and not played.
pub(super) fn is_published(data: &str) -> bool {
    matches!(serde_json::from_str(data), Ok(Named { origin: Some(_) }))
}

/// Calls `found` with the position and the name of every event whose name is not in the table.
fn missing(
    connection: &Connection,
    mut found: impl FnMut(u64, Origin) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut known = connection.prepare("SELECT 1 FROM keys WHERE source = ?1 AND id = ?2")?;
    let mut statement = connection
        .prepare("SELECT position, data FROM events WHERE instr(data, '\"origin\"') > 0 ORDER BY position")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // That an event itself is damaged is another check's finding.
        let Ok(data) = row.get_ref(1)?.as_str() else { continue };
        let Ok(Named { origin: Some(origin) }) = serde_json::from_str(data) else { continue };
        if !known.exists([&origin.source, &origin.id])? {
            found(row.get(0)?, origin)?;
        }
    }
    Ok(())
}

/// Makes the missing keys anew, from the names that the events have. Returns how many.
pub(super) fn renew(connection: &Connection) -> rusqlite::Result<u64> {
    let mut renewed = 0;
    missing(connection, |position, Origin { source, id }| {
        renewed += 1;
        insert(connection, &Key { source, id, digest: UNKNOWN_DIGEST }, position)
    })?;
    Ok(renewed)
}

/// The first event that has lost its key, and how many have.
pub(super) fn lost(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let (mut first, mut count) = (None, 0_u64);
    missing(connection, |position, Origin { source, id }| {
        first.get_or_insert_with(|| {
            format!("event {position} was published as {id:?} of {source:?}, and this key is missing")
        });
        count += 1;
        Ok(())
    })?;
    Ok(first.map(|first| match count {
        1 => first,
        _ => format!("{first}, as are {} more", count - 1),
    }))
}

/// What is wrong with the first row that has a wrong checksum or no event.
pub(super) fn wrong(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare(
        "SELECT k.source, k.id, k.position, k.digest, k.checksum, e.position IS NULL
         FROM keys k LEFT JOIN events e ON e.position = k.position",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (source, id): (String, String) = (row.get(0)?, row.get(1)?);
        let (position, digest): (u64, [u8; 32]) = (row.get(2)?, row.get(3)?);
        if row.get::<_, i64>(4)? != of_row(&source, &id, position, &digest) {
            return Ok(Some(format!("the checksum of the key {id:?} of {source:?} does not match")));
        }
        if row.get(5)? {
            return Ok(Some(format!(
                "the key {id:?} of {source:?} belongs to event {position}, which is missing"
            )));
        }
    }
    Ok(None)
}

fn of_row(source: &str, id: &str, position: u64, digest: &[u8; 32]) -> i64 {
    let digest = HEXLOWER.encode(digest);
    chain::of_text(&format!("{} {source} {} {id} {position} {digest}", source.len(), id.len()))
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::super::readers::keep_plans;
    use super::super::schema;
    use super::*;

    #[test]
    fn the_query_is_parsed_once_whatever_its_parameters_are() -> rusqlite::Result<()> {
        let mut connection = Connection::open_in_memory()?;
        keep_plans(&connection)?;
        let transaction = connection.transaction()?;
        schema::migrate(&transaction, 0)?;
        transaction.commit()?;
        for id in 0..100 {
            assert_eq!(named(&connection, "/agents/a", &id.to_string())?, None);
        }
        assert_eq!(connection.prepare_cached(NAMED)?.get_status(StatementStatus::RePrepare), 0);
        Ok(())
    }
}
