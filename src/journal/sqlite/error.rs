//! Errors of SQLite and the file system, as errors of the journal.

use std::error::Error;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::super::error::{JournalError, Trouble, TroubleKind};

/// Why a journal file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the journal open.
    #[error("{path} is in use by {holder}")]
    Held {
        /// The file.
        path: PathBuf,
        /// What the other process wrote into the lock file.
        holder: String,
    },
    /// The file was written by a newer version of the program.
    #[error("{path} has format {found}; this version of incident reads formats up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's format.
        found: i64,
        /// The newest format that this version reads.
        known: i64,
    },
    /// Events that clients have received are missing or changed.
    #[error("{path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with the file.
        what: String,
    },
    /// The file cannot be opened or created.
    #[error("cannot open {path}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl OpenError {
    pub(super) fn unusable(path: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unusable { path: path.to_owned(), source: source.into() }
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }

    /// The error for what SQLite reports when it opens a file.
    pub(super) fn from_sqlite(path: &Path, error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::damaged(path, error.to_string())
            }
            _ => Self::unusable(path, error),
        }
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
        _ => TroubleKind::Other,
    };
    Trouble::from_error(kind, error)
}
