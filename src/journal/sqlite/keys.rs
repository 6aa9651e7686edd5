//! The table `keys`: the names that publishers gave to their events. A key is kept as long as its event. Each row has a
//! checksum, because a wrong row would turn a publisher's new event into a repeat.

use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::record::{Key, KeyedEvent};
use super::chain;

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
