//! What all incidents of a player share: the journal, the tasks, the list of running incidents.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::running::RunningIncidents;
use crate::journal::Journal;
use crate::metrics::Metrics;

/// How long to wait before a failed append is retried, unless the journal reports earlier that it works again.
const RETRY: Duration = Duration::from_millis(500);

/// The shared state of a player. Cheap to clone.
#[derive(Clone)]
pub(super) struct PlayerContext {
    pub(super) journal: Journal,
    pub(super) tasks: TaskTracker,
    /// Cancelled when the server stops. Incidents then stay open in the journal.
    pub(super) stop: CancellationToken,
    pub(super) metrics: Arc<Metrics>,
    pub(super) running: RunningIncidents,
    /// An incident is no longer run here although it may be open: if this process plays what is open, it looks again.
    pub(super) left: Arc<Notify>,
}

impl PlayerContext {
    /// Waits until a failed journal reports that it works again, but at most for [`RETRY`].
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
