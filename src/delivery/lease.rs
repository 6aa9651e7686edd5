//! Permission to stay connected, which ends when the token or session behind it is withdrawn.

use std::any::Any;
use std::sync::Arc;

use tokio::sync::watch;

/// Valid for as long as the sender of its channel exists.
#[derive(Clone)]
pub struct Lease {
    valid: watch::Receiver<()>,
    _in_use: Option<Arc<dyn Any + Send + Sync>>,
}

impl Lease {
    /// A lease that ends when the sender of `valid` is dropped. `in_use` is held for as long as the lease is.
    pub fn new(valid: watch::Receiver<()>, in_use: Option<Arc<dyn Any + Send + Sync>>) -> Self {
        Self { valid, _in_use: in_use }
    }

    /// Whether it was withdrawn.
    pub fn is_over(&self) -> bool {
        self.valid.has_changed().is_err()
    }

    /// Resolves when it is withdrawn.
    pub async fn over(&mut self) {
        while self.valid.changed().await.is_ok() {}
    }
}
