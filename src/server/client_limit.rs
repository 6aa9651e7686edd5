//! The limit of clients that follow the stream at the same time, whatever their transport.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Hands out one slot to each client.
pub(super) struct ClientLimit {
    slots: Arc<Semaphore>,
    most: u32,
}

impl ClientLimit {
    /// At most this many clients.
    pub(super) fn new(most: u32) -> Self {
        Self { slots: Arc::new(Semaphore::new(most as usize)), most }
    }

    /// The limit.
    pub(super) fn most(&self) -> u32 {
        self.most
    }

    /// How many clients have a slot now.
    pub(super) fn taken(&self) -> u32 {
        let free = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        self.most.saturating_sub(free)
    }

    /// A slot, until it is dropped; `None` when the server has reached its limit.
    pub(super) fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).try_acquire_owned().ok()
    }

    /// Resolves when every slot was given back.
    pub(super) async fn all_left(&self) {
        drop(self.slots.acquire_many(self.most).await);
    }
}
