//! The end of an incident in the table `incidents`.

use rusqlite::{Connection, params};

use super::chain;

/// An incident has ended at a position. Its plan, which may be much larger than its events, is needed no more.
pub(super) fn end(connection: &Connection, subject: &str, position: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE incidents SET ended = ?2, plan = NULL, plan_checksum = ?3 WHERE subject = ?1",
        )?
        .execute(params![subject, position, chain::of_plan(subject, None)])?;
    Ok(())
}
