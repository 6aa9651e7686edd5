//! What everything that is played shares.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::running::Running;
use crate::journal::Journal;
use crate::metrics::Metrics;

/// How long to wait before a journal that failed is tried again, unless it reports earlier that it is well.
const RETRY: Duration = Duration::from_millis(500);

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) journal: Journal,
    pub(super) tasks: TaskTracker,
    /// Cancelled when the server stops: incidents stay open in the journal.
    pub(super) stop: CancellationToken,
    pub(super) metrics: Arc<Metrics>,
    pub(super) running: Running,
}

impl Context {
    /// Waits until a journal that failed reports that it takes events again, or for [`RETRY`].
    pub(super) async fn journal_back(&self) {
        let mut health = self.journal.health();
        if health.borrow().is_none() {
            return sleep(RETRY).await;
        }
        tokio::select! {
            _ = health.wait_for(Option::is_none) => {}
            () = sleep(RETRY) => {}
        }
    }
}
