//! Errors of SQLite and the file system, as errors of the journal.

use std::path::Path;

use rusqlite::ErrorCode;

use super::super::error::{JournalError, Trouble, TroubleKind};
use super::super::open_error::OpenError;

/// The error for what SQLite reports when it opens a file.
pub(super) fn open_error(path: &Path, error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            OpenError::damaged(path, error.to_string())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            OpenError::Locked { path: path.to_owned() }
        }
        _ => OpenError::unusable(path, error),
    }
}

/// The error for a failed operation on an open journal.
pub(super) fn unavailable(error: rusqlite::Error) -> JournalError {
    JournalError::Unavailable(trouble(error))
}

/// The kind and cause of an error of SQLite.
pub(super) fn trouble(error: rusqlite::Error) -> Trouble {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => TroubleKind::Full,
        Some(ErrorCode::ReadOnly) => TroubleKind::ReadOnly,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => TroubleKind::Busy,
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => TroubleKind::Io,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => TroubleKind::Damaged,
        _ => TroubleKind::Other,
    };
    Trouble::from_error(kind, error)
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        trouble(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever is told to try again would do it for ever.
    #[test]
    fn a_page_that_cannot_be_read_is_damage() {
        for code in [rusqlite::ffi::SQLITE_CORRUPT, rusqlite::ffi::SQLITE_NOTADB] {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            assert_eq!(trouble(error).kind(), TroubleKind::Damaged);
        }
    }
}
