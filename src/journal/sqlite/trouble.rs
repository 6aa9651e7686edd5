//! What SQLite and the file system report, as this journal's errors.

use std::error::Error;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::super::error::{JournalError, Trouble, TroubleKind};

/// Why a journal file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{path} is in use by {holder}")]
    Held {
        /// The file.
        path: PathBuf,
        /// What the other process wrote about itself.
        holder: String,
    },
    /// It was made by a newer version.
    #[error("{path} has format {found}; this version knows up to {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// Events that clients have received are missing or changed.
    #[error("{path} is damaged: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// It can't be opened or created.
    #[error("cannot open {path}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
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

    /// What SQLite says when it opens a file.
    pub(super) fn from_sqlite(path: &Path, error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::damaged(path, error.to_string())
            }
            _ => Self::unusable(path, error),
        }
    }
}

/// Why an operation on an open journal failed.
pub(super) fn unavailable(error: rusqlite::Error) -> JournalError {
    JournalError::Unavailable(trouble(error))
}

/// The trouble that an error of SQLite shows.
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
