//! Counts the connections and requests that the server refused, and limits how often refusals are logged.

use std::sync::Arc;

use crate::log_limiter::LogLimiter;
use crate::metrics::{Metrics, Refusal};

/// The refusals of one server.
pub(super) struct Refusals {
    metrics: Arc<Metrics>,
    limiter: LogLimiter<Refusal>,
}

impl Refusals {
    /// Counts in `metrics`.
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, limiter: LogLimiter::default() }
    }

    /// Counts a refusal. `Some` if it is to be logged now, with the number of those that were left out since the last.
    pub(super) fn count(&self, refusal: Refusal) -> Option<u64> {
        self.metrics.refused(refusal);
        self.limiter.allows(refusal)
    }
}
