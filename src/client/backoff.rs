//! Capped exponential backoff with full jitter: each wait is drawn uniformly below a bound that doubles, so that clients
//! that were disconnected together do not reconnect together.

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

    /// Makes the next wait short again, after a success.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}
