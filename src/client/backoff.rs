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
        self.next_wait_among(1)
    }

    /// The next wait of a client that tries several servers in turn: the bound doubles when each has been tried.
    pub fn next_wait_among(&mut self, servers: usize) -> Duration {
        let round = self.attempt / u32::try_from(servers).unwrap_or(u32::MAX).max(1);
        let bound = Self::BASE.saturating_mul(1 << round.min(10)).min(Self::CAP);
        self.attempt = self.attempt.saturating_add(1);
        bound.mul_f64(crate::random::unit())
    }

    /// Makes the next wait short again, after a success.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn among_several_servers_none_is_tried_more_often_than_one_alone() {
        for servers in 1..=4 {
            let mut backoff = Backoff::default();
            for round in 0..8 {
                let bound = Backoff::BASE.saturating_mul(1 << round).min(Backoff::CAP);
                let waits: Vec<_> = (0..servers).map(|_| backoff.next_wait_among(servers)).collect();
                assert!(
                    waits.iter().all(|wait| *wait <= bound),
                    "{servers} servers, round {round}: {waits:?}"
                );
            }
            // After many rounds the longest waits are near the cap.
            let longest = (0..200).map(|_| backoff.next_wait_among(servers)).max();
            assert!(longest > Some(Backoff::CAP / 2), "{longest:?}");
        }
    }
}
