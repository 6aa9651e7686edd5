//! Why an incident did not start or end, and how many may be open.

use crate::journal::JournalError;

/// The most incidents that are played at once.
pub const MAX_OPEN: usize = 1_000;

/// Why an incident did not start or end.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// [`MAX_OPEN`] incidents are open.
    #[error("{MAX_OPEN} incidents are open already: cancel one or wait for one to end")]
    TooMany,
    /// The server stops.
    #[error("the server is stopping")]
    Stopping,
    /// The journal did not take it.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
