//! Errors of a journal: why it did not append or read events.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a request waits for a journal. What waits there is not taken back.
pub const PATIENCE: Duration = Duration::from_secs(8);

/// Why a journal did not append or read events. If an append fails, no record of the batch is in the journal.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// A record cannot become an event: it is too large, a control message, has the index 0 …
    #[error("the journal refuses the record: {0}")]
    Refused(String),
    /// Earlier events of the incident are missing. An incident must not have gaps.
    #[error("event {index} of {subject} would leave a gap: the journal has {has} events of this incident")]
    Gap {
        /// The incident.
        subject: String,
        /// The index of the record.
        index: u64,
        /// Index of the newest event of the incident in the journal.
        has: u64,
    },
    /// The incident has ended. No event can follow its resolution.
    #[error("the incident {subject} has ended")]
    Ended {
        /// The incident.
        subject: String,
        /// Position of its resolution; `None` if the resolution is in the same batch.
        position: Option<u64>,
    },
    /// The incident has other events than the caller has judged its records against.
    #[error("the newest event of {subject} has the index {has}, and not {expected}")]
    Moved {
        /// The incident.
        subject: String,
        /// The index that its newest event was expected to have.
        expected: u64,
        /// The index that it has.
        has: u64,
    },
    /// The publisher has used the same key for another event.
    #[error("the publisher {publisher:?} has already used the key {id:?} for another event")]
    KeyReused {
        /// The publisher.
        publisher: String,
        /// The key.
        id: String,
        /// Position of the event with this key; `None` if that event is in the same batch.
        position: Option<u64>,
    },
    /// The batch was appended under a lease that another player has taken over since.
    #[error("another player has taken over the lease")]
    LeaseLost,
    /// The journal cannot be written or read at the moment. Trying again may help.
    #[error("the journal cannot be used: {0}")]
    Unavailable(Trouble),
    /// A stored event differs from what was appended.
    #[error("event {position} is damaged: {what}")]
    Damaged {
        /// The event's position.
        position: u64,
        /// What is wrong with the event.
        what: String,
    },
}

impl JournalError {
    /// Whether the same operation may succeed later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// The kind of problem that makes a journal unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TroubleKind {
    /// The disk is full.
    Full,
    /// The journal cannot be written, only read.
    ReadOnly,
    /// Another process has locked the journal for too long.
    Busy,
    /// Reading or writing failed.
    Io,
    /// A part of the file can't be what was written.
    Damaged,
    /// A write has not returned for some seconds: the disk hangs.
    Hung,
    /// A file of the journal was removed, replaced or changed by another program.
    Changed,
    /// The servers that store the journal confirm nothing.
    Unreachable,
    /// The journal's history is not what clients were told.
    History,
    /// The stream was remade or restored, or has lost events, and has another name now: it has to be opened anew.
    Replaced,
    /// The journal's file was removed, and what it had could not be copied before the end.
    Lost,
    /// The engine has stopped.
    Stopped,
    /// Any other problem.
    Other,
}

/// Why a journal cannot be used at the moment, with the engine's error.
#[derive(Debug, Clone)]
pub struct Trouble {
    kind: TroubleKind,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Trouble {
    /// A problem without an error of the engine.
    pub const fn new(kind: TroubleKind) -> Self {
        Self { kind, source: None }
    }

    /// A problem with the engine's error that caused it.
    pub fn from_error(kind: TroubleKind, source: impl Error + Send + Sync + 'static) -> Self {
        Self { kind, source: Some(Arc::new(source)) }
    }

    /// The kind of the problem.
    pub const fn kind(&self) -> TroubleKind {
        self.kind
    }
}

/// Two problems are equal if their kinds and the texts of their errors are equal.
impl PartialEq for Trouble {
    fn eq(&self, other: &Self) -> bool {
        let text = |trouble: &Self| trouble.source.as_ref().map(ToString::to_string);
        self.kind == other.kind && text(self) == text(other)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TroubleKind::Full => "the disk is full",
            TroubleKind::ReadOnly => "it is read-only",
            TroubleKind::Busy => "another process has locked it",
            TroubleKind::Io => "reading or writing failed",
            TroubleKind::Damaged => "it is damaged",
            TroubleKind::Hung => "its disk does not answer",
            TroubleKind::Changed => "its files were changed while the server runs",
            TroubleKind::Unreachable => "the servers that store it confirm nothing",
            TroubleKind::History => "its history has changed",
            TroubleKind::Replaced => "its stream is another one now",
            TroubleKind::Lost => "its events are lost: its file was removed, and they could not be copied",
            TroubleKind::Stopped => "its writing thread has stopped",
            TroubleKind::Other => "the database reported an error",
        })?;
        match &self.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl Error for Trouble {
    /// The text already contains the engine's error, so the source is what caused that error.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().and_then(|source| source.source())
    }
}
