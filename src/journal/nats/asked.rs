//! The question that is asked for everybody who waits for it (`question.rs`).

use std::sync::atomic::AtomicU64;

use tokio::sync::{Notify, watch};

use super::super::error::JournalError;

/// What was asked and answered so far.
#[derive(Debug)]
pub(super) struct Asked {
    /// Somebody waits.
    pub(super) wanted: Notify,
    /// How many questions were begun.
    pub(super) begun: AtomicU64,
    /// The number of the last one that was answered, and whether everything was read.
    pub(super) answered: watch::Sender<(u64, Result<(), JournalError>)>,
}

impl Asked {
    pub(super) fn new() -> Self {
        Self { wanted: Notify::new(), begun: AtomicU64::new(0), answered: watch::channel((0, Ok(()))).0 }
    }
}
