//! Why a journal cannot be opened, whichever engine it has.

use std::borrow::Cow;
use std::error::Error;
use std::path::{Path, PathBuf};

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the journal open.
    #[error("{path} is in use by {holder}")]
    Held {
        /// Where the journal is.
        path: PathBuf,
        /// What is known about the other process.
        holder: String,
    },
    /// A process has the same file open under another name, such as a hard link or a mount of the file alone. SQLite keeps the
    /// newest events in a file that has that other name.
    #[error(
        "{path} is in use under another name: a process has locked the file, whose lock file and log are not beside this name, \
         and the newest events are in that log"
    )]
    Elsewhere {
        /// The name that was given.
        path: PathBuf,
    },
    /// The write-ahead log of a journal is there, and the journal is not, or is empty. To begin a new one, or only to read the
    /// empty file, would delete the log.
    #[error("{path} is empty or not there, and {log} has events of it that are nowhere else")]
    LogAlone {
        /// Where the journal was.
        path: PathBuf,
        /// Where its log is.
        log: PathBuf,
    },
    /// To read a journal with a write-ahead log, SQLite makes a file beside it, and it can't.
    #[error(
        "{path} cannot be read with {log}, which has its newest events: SQLite makes a -shm file beside them, and their folder cannot be written"
    )]
    Unindexed {
        /// Where the journal is.
        path: PathBuf,
        /// Where its log is.
        log: PathBuf,
    },
    /// Another program, such as a shell with an open transaction, has locked the file.
    #[error("another program has locked {path}")]
    Locked {
        /// Where the journal is.
        path: PathBuf,
    },
    /// The journal was written by a newer version of the program.
    #[error("{path} has format {found}; this version of incident reads formats up to {known}")]
    Newer {
        /// Where the journal is.
        path: PathBuf,
        /// The journal's format.
        found: i64,
        /// The newest format that this version reads.
        known: i64,
    },
    /// The file is another program's database.
    #[error("{path} is not a journal but another program's SQLite database: {what}")]
    Foreign {
        /// Where the file is.
        path: PathBuf,
        /// What the database contains.
        what: String,
    },
    /// Events that clients have received are missing or changed.
    #[error("{path} is damaged: {what}")]
    Damaged {
        /// Where the journal is.
        path: PathBuf,
        /// What is wrong with the journal.
        what: String,
    },
    /// A file that would be overwritten.
    #[error("{path} {what}")]
    Exists {
        /// Where the file is.
        path: PathBuf,
        /// What is there.
        what: Cow<'static, str>,
    },
    /// The journal cannot be opened or created.
    #[error("cannot open {path}")]
    Unusable {
        /// Where the journal is.
        path: PathBuf,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl OpenError {
    pub(in crate::journal) fn unusable(path: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unusable { path: path.to_owned(), source: source.into() }
    }

    pub(in crate::journal) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }
}
