//! Capped exponential backoff with full jitter: a uniform wait below a bound that doubles, so that clients cut
//! off together do not return together.

use std::time::Duration;

/// The waits between attempts.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    attempt: u32,
}

impl Backoff {
    const BASE: Duration = Duration::from_millis(250);
    const CAP: Duration = Duration::from_secs(5);

    /// The next wait.
    pub fn next_wait(&mut self) -> Duration {
        let bound = Self::BASE.saturating_mul(1 << self.attempt.min(10)).min(Self::CAP);
        self.attempt += 1;
        bound.mul_f64(crate::random::unit())
    }

    /// After a success the next wait is short again.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}
