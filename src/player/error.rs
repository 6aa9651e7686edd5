//! Why an incident cannot be started or ended.

use crate::journal::JournalError;

/// The most incidents that are played at once.
pub const MAX_OPEN: usize = 1_000;

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
    /// The journal did not accept the event.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
