//! Ends what SQLite does for a copy that has to end early.

use rusqlite::{Connection, ErrorCode, ffi};

use super::super::stop::Stop;

/// After so many steps of SQLite's machine it is asked whether to end: less than a millisecond.
const STEPS: i32 = 1_000;

/// From now on, everything that a connection does fails once the copy has to end.
pub(super) fn at(stop: &Stop, connection: &mut Connection) -> rusqlite::Result<()> {
    let stop = stop.clone();
    connection.progress_handler(STEPS, Some(move || stop.is_wished()))
}

/// What SQLite says then.
///
/// # Errors
/// The copy has to end.
pub(super) fn look(stop: &Stop) -> rusqlite::Result<()> {
    if !stop.is_wished() {
        return Ok(());
    }
    let why = "the copy was interrupted".to_owned();
    let error = ffi::Error { code: ErrorCode::OperationInterrupted, extended_code: ffi::SQLITE_INTERRUPT };
    Err(rusqlite::Error::SqliteFailure(error, Some(why)))
}
