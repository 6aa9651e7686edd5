//! Why a journal takes or gives no events.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why a journal did not take or give events. Nothing of the batch is in then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// The record can't be an event: too large, a control message, an index of 0 …
    #[error("not an event: {0}")]
    Refused(String),
    /// Earlier events of the incident are missing: an incident has no gaps.
    #[error("event {index} of {subject} does not follow: the journal has {has} events of it")]
    Gap {
        /// The incident.
        subject: String,
        /// The index of the record.
        index: u64,
        /// The newest index that is in.
        has: u64,
    },
    /// The incident has ended: nothing follows its resolution.
    #[error("{subject} has ended")]
    Ended {
        /// The incident.
        subject: String,
        /// Position of its resolution; `None` if the resolution is in the same batch.
        position: Option<u64>,
    },
    /// The publisher used the same key for another event.
    #[error("{publisher:?} used the key {id:?} for another event before")]
    KeyReused {
        /// The publisher.
        publisher: String,
        /// The key.
        id: String,
        /// Position of the event that has the key; `None` if it is in the same batch.
        position: Option<u64>,
    },
    /// The batch was appended under a lease that another player has taken over.
    #[error("another player has taken over")]
    LeaseLost,
    /// The journal can't be written or read now. Trying again may help.
    #[error("the journal can't be used: {0}")]
    Unavailable(Trouble),
    /// A stored event is not what was appended.
    #[error("event {position} is damaged: {what}")]
    Damaged {
        /// The event's position.
        position: u64,
        /// What is wrong with it.
        what: String,
    },
}

impl JournalError {
    /// Whether trying the same again may help.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// What kind of trouble a journal is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TroubleKind {
    /// There is no room for more.
    Full,
    /// It can be read only.
    ReadOnly,
    /// Another process holds it for too long.
    Busy,
    /// Reading or writing failed.
    Io,
    /// The engine has stopped.
    Stopped,
    /// Anything else.
    Other,
}

/// Why a journal can't be used now, with what the engine said.
#[derive(Debug, Clone)]
pub struct Trouble {
    kind: TroubleKind,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Trouble {
    /// Trouble without a cause of its own.
    pub const fn new(kind: TroubleKind) -> Self {
        Self { kind, source: None }
    }

    /// Trouble that an error of the engine has caused.
    pub fn from_error(kind: TroubleKind, source: impl Error + Send + Sync + 'static) -> Self {
        Self { kind, source: Some(Arc::new(source)) }
    }

    /// The kind.
    pub const fn kind(&self) -> TroubleKind {
        self.kind
    }
}

/// Equal kinds with equal texts are the same trouble.
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
            TroubleKind::Busy => "another process holds it",
            TroubleKind::Io => "reading or writing failed",
            TroubleKind::Stopped => "its writer has stopped",
            TroubleKind::Other => "the database reports an error",
        })?;
        match &self.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl Error for Trouble {
    /// The engine's error is part of the text already; its own causes are not.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().and_then(|source| source.source())
    }
}
