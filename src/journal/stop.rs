//! The wish that long work ends before it is complete.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends a copy early, from another thread. Clones are the same wish.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// The work has to end.
    pub fn wish(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work has to end.
    pub fn is_wished(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
