//! What lets a client stay: it ends when whoever gave it takes it back.

use std::any::Any;
use std::sync::Arc;

use tokio::sync::watch;

/// Good for as long as the other end of its channel is there.
#[derive(Clone)]
pub struct Lease {
    good: watch::Receiver<()>,
    _in_use: Option<Arc<dyn Any + Send + Sync>>,
}

impl Lease {
    /// One that ends with the sender of `good`. `in_use` is held for as long as the lease is.
    pub fn new(good: watch::Receiver<()>, in_use: Option<Arc<dyn Any + Send + Sync>>) -> Self {
        Self { good, _in_use: in_use }
    }

    /// Whether it was taken back.
    pub fn is_over(&self) -> bool {
        self.good.has_changed().is_err()
    }

    /// Resolves when it is taken back.
    pub async fn over(&mut self) {
        while self.good.changed().await.is_ok() {}
    }
}
