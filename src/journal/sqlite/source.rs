//! A journal file that is opened for reading only, while a server may have it open: to check it, to salvage it, to make a
//! copy of it.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::super::open_error::OpenError;
use super::error::open_error;
use super::head::{self, Head};
use super::hold::{Elsewhere, Hold};
use super::identity;
use super::place::{beside, real, refuse_unusual};
use super::readers::reader;
use super::running;
use super::schema;
use super::strangers;
use super::witness::{Remembered, Witness};
use crate::input_file::{self, Kind};

/// Pages of a journal that are copied at a time.
const STEP: i32 = 1_000;

/// The open file. All reads see the same snapshot, because a server may append, or start, in the meantime.
pub(super) struct Source {
    pub(super) connection: Connection,
    /// The format of what is read; `None` if the file is empty, or its tables are: no journal has begun in it.
    pub(super) format: Option<i64>,
    /// The older format of the file, if what is read is a copy of it that was upgraded.
    pub(super) upgraded_from: Option<i64>,
    /// Whether the write-ahead log had content before the file was opened.
    pub(super) has_log: bool,
    /// What is wrong with the file that has the name of the write-ahead log, if that is no such log.
    pub(super) wrong_log: Option<String>,
    /// The process that has the journal open, if there is one.
    pub(super) holder: Option<String>,
    /// What the witness file said at the moment of the snapshot, or why it cannot be read.
    pub(super) remembered: Result<Remembered, String>,
    pub(super) kept: Kept,
}

/// What is kept as long as the connection is open, and dropped after it.
pub(super) struct Kept {
    /// See `lock.rs`.
    _descriptor: Option<Arc<File>>,
    /// Keeps servers out of a file that is read as if nobody could change it.
    _hold: Option<Hold>,
}

impl Source {
    /// # Errors
    /// The file does not exist, is a pipe or a device, is not a journal, has a newer format than this version writes, or is in
    /// use under another name.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        match input_file::kind(path) {
            Ok(Kind::File) => {}
            Ok(Kind::Stream | Kind::Pipe) => {
                return Err(OpenError::unusable(path, "it is a pipe, not a file"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(OpenError::unusable(path, "the file does not exist"));
            }
            Err(error) => return Err(OpenError::unusable(path, error)),
        }
        // The files beside it have the name of the real file, whatever link leads to it.
        let real = real(path).map_err(|error| OpenError::unusable(path, error))?;
        identity::refuse_foreign(&real)?;
        refuse_unusual(&real).map_err(|error| OpenError::unusable(path, error))?;
        strangers::refuse(&real)?;
        // The log, the witness file and the snapshot must be those of one moment. What is read later is read from the
        // snapshot, and a server may start.
        let (hold, holder) = match Hold::take_here(&real) {
            Ok(Ok(hold)) => (Some(hold), None),
            Ok(Err(holder)) => (None, Some(holder)),
            Err(Elsewhere) => return Err(OpenError::Elsewhere { path: path.to_owned() }),
        };
        if hold.is_some() {
            roll_back(&real)?;
        }
        let has_log = running::has_log(&real);
        let wrong_log = strangers::wrong_log(&real);
        let (connection, is_fixed) = connect(path, &real, has_log, hold.is_some())?;
        let format = identity::format(&connection, path)?;
        let remembered = Witness::read(&real).map_err(|error| error.to_string());
        // The snapshot begins with the first thing that is read.
        connection
            .execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")
            .map_err(|error| open_error(path, error))?;
        // A server begins its journal in tables that were never used.
        let format = format.filter(|format| !is_unbegun(&connection, *format));
        let older = format.filter(|format| {
            *format < schema::VERSION
                && identity::wrong(&connection, *format).is_ok_and(|wrong| wrong.is_none())
        });
        let (connection, format) = match older {
            Some(older) => (upgraded(&connection, older, path)?, Some(schema::VERSION)),
            None => (connection, format),
        };
        let kept = match hold {
            Some(hold) if is_fixed => Kept { _descriptor: None, _hold: Some(hold) },
            hold => Kept { _descriptor: hold.and_then(Hold::release), _hold: None },
        };
        Ok(Self { connection, format, upgraded_from: older, has_log, wrong_log, holder, remembered, kept })
    }

    /// The stream, the head and its seal.
    ///
    /// # Errors
    /// The table `head` cannot be read or is empty.
    pub(super) fn head(&self, path: &Path) -> Result<(crate::contract::StreamId, Head, i64), OpenError> {
        let loaded =
            head::load(&self.connection).map_err(|error| OpenError::damaged(path, error.to_string()))?;
        loaded.ok_or_else(|| OpenError::damaged(path, "its table `head` is empty"))
    }
}

/// Opens the file. To read a journal SQLite makes a file beside it, the index of its log, which it can't on a disk or in a folder
/// that may not be written. Without a log there is nothing to be indexed: then the file is read as one that nobody changes, which
/// is also returned, if no server has it open.
fn connect(path: &Path, real: &Path, has_log: bool, is_free: bool) -> Result<(Connection, bool), OpenError> {
    let unusable = |error: rusqlite::Error| OpenError::unusable(path, error);
    let connection = reader(real).map_err(unusable)?;
    let look = || connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    let Err(error) = look() else { return Ok((connection, false)) };
    // So SQLite reads what is there of a file that is shorter than its header says.
    if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
        && connection.execute_batch("PRAGMA writable_schema = ON").is_ok()
        && look().is_ok()
    {
        return Ok((connection, false));
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) if has_log => {
            Err(OpenError::Unindexed { path: path.to_owned(), log: beside(real, "wal") })
        }
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly) if is_free => {
            Ok((identity::alone(real).map_err(unusable)?, true))
        }
        _ => Err(open_error(path, error)),
    }
}

/// A copy of a journal of an older format, which is upgraded. The file itself stays as it is, because older versions of the program can
/// read it only so. SQLite keeps the copy where it keeps temporary files, under no name.
fn upgraded(connection: &Connection, older: i64, path: &Path) -> Result<Connection, OpenError> {
    let not_copied = |error: rusqlite::Error| {
        let why = format!(
            "it has the older format {older}, and no copy could be made in the folder for temporary files (TMPDIR), which needs as much \
             room as the journal: {error}"
        );
        OpenError::unusable(path, why)
    };
    let mut copy = Connection::open("").map_err(not_copied)?;
    Backup::new(connection, &mut copy)
        .and_then(|backup| backup.run_to_completion(STEP, Duration::ZERO, None))
        .map_err(not_copied)?;
    let transaction = copy.transaction().map_err(not_copied)?;
    schema::migrate(&transaction, older)
        .and_then(|()| transaction.commit())
        .map_err(|error| open_error(path, error))?;
    Ok(copy)
}

/// Takes back what a process that was killed has half written, as the next start of a server would. SQLite refuses to read a
/// file with such a rest. Only the very first start writes without a write-ahead log.
fn roll_back(path: &Path) -> Result<(), OpenError> {
    if !beside(path, "journal").exists() {
        return Ok(());
    }
    let unfinished = |error: rusqlite::Error| match open_error(path, error) {
        OpenError::Unusable { source, .. } => {
            OpenError::unusable(path, format!("a write that was interrupted cannot be taken back: {source}"))
        }
        other => other,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(unfinished)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(unfinished)?;
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        .map(drop)
        .map_err(unfinished)
}

fn is_unbegun(connection: &Connection, format: i64) -> bool {
    let is_sound = identity::wrong(connection, format).is_ok_and(|wrong| wrong.is_none());
    is_sound && schema::is_unused(connection, format).unwrap_or(false)
}
