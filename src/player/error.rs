//! Why an incident cannot be started or ended.

use crate::journal::{JournalError, PATIENCE};

/// The most incidents that are played at once.
pub const MAX_OPEN: usize = 1_000;

/// The most bytes that the plans of all incidents may have which are played at once. An incident that is played alone may
/// have more.
pub const MAX_PLAN_BYTES: usize = 256 * 1024 * 1024;

/// Why an incident was not started or ended.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// [`MAX_OPEN`] incidents are open.
    #[error("{MAX_OPEN} incidents are already open: cancel one or wait until one ends")]
    TooMany,
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopping,
    /// Another player plays the incidents of this journal now.
    #[error("another server plays the incidents of this journal now: start the incident there")]
    TakenOver,
    /// The plans of the open incidents take [`MAX_PLAN_BYTES`] with this one.
    #[error(
        "the plans of the open incidents take too much memory with this one: cancel one or wait until one ends"
    )]
    TooLarge,
    /// The incident could begin and not end.
    #[error("the incident can't be played to its end: {0}")]
    Unplayable(String),
    /// The incident has begun, and is played already.
    #[error("the incident has begun")]
    Begun,
    /// The journal did not accept the event.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal has not answered in time.
    #[error("the journal has not answered within {} s: it may still be done; list the incidents before you try again", PATIENCE.as_secs())]
    Unanswered,
    /// The incident is being ended, which takes long.
    #[error(
        "the incident is being ended, but everything behind its start is read for that, and that is much: it will be done; ask again in a moment"
    )]
    Ending,
}

/// Why actions were not added to an incident.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// This player does not play the incident.
    #[error("this server does not play the incident at the moment")]
    NotPlayed,
    /// Another server plays the incident.
    #[error(
        "another server plays this drill, and takes its actions: send them to the one whose /readyz says that it plays"
    )]
    Elsewhere,
    /// The player does not know how far the incident has come.
    #[error("the incident is being started or continued; try again in a moment")]
    Later,
    /// The incident's newest event is another one than was expected.
    #[error("the newest event of the incident has the index {current}")]
    Moved {
        /// Its index.
        current: u64,
    },
    /// An action is caused by an event that is not there yet.
    #[error("caused_by is above {current}, the index of the newest event")]
    Cause {
        /// Index of the newest event.
        current: u64,
    },
    /// Its readers would have to remember too much of what was added.
    #[error("{detail}")]
    TooMuch {
        /// Where in the event.
        pointer: String,
        /// What is too much, and how much may be.
        detail: String,
    },
    /// The journal did not take the actions.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
