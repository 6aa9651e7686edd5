//! The stages of a server's life: it serves, it drains, it takes no more requests, it stops.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Which stage the server is in, and the tasks that have to end before it has stopped.
pub(super) struct Lifecycle {
    draining: AtomicBool,
    /// Becomes true, or loses its sender, when connections take no further request.
    closing: watch::Receiver<bool>,
    /// Ends the tasks in `tasks`.
    pub(super) stop: CancellationToken,
    /// HTTP, event stream and WebSocket connections.
    pub(super) connections: TaskTracker,
    /// Everything else: hub and player.
    pub(super) tasks: TaskTracker,
}

impl Lifecycle {
    /// A server that serves, until `closing` becomes true or its sender is dropped.
    pub(super) fn new(closing: watch::Receiver<bool>) -> Self {
        Self {
            draining: AtomicBool::new(false),
            closing,
            stop: CancellationToken::new(),
            connections: TaskTracker::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// Whether new clients and triggers are refused.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Refuses new clients and triggers from now on.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Resolves when connections take no further request.
    pub(super) async fn closing(&self) {
        // The guard that `wait_for` gives must not live across an await.
        drop(self.closing.clone().wait_for(|closing| *closing).await);
    }
}
