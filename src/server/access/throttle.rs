//! The limits of one network address: of wrong tokens, so that guessing is slow and other addresses are not locked out, and of log-ins.
//!
//! An empty bucket refuses every token unseen: if right tokens were let in, a guesser would recognise them by that. So
//! a client that shares the address of a guesser is refused too, until half a second after the guessing stops. Sessions
//! are exempt, because an id of 256 bits cannot be guessed: a logged-in page never notices.

use std::net::IpAddr;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::server::rate::{Buckets, Rate};

/// Wrong tokens that an address may send.
const RATE: Rate = Rate { per_second: 2.0, burst: 20.0 };

/// Log-ins with right tokens. Each one costs the other servers of a journal a note, and may push out a session: a program that logs in
/// for each of its requests would push out everybody. Behind a proxy the users of a whole team have one address.
const LOGINS: Rate = Rate { per_second: 5.0, burst: 100.0 };

/// Networks that are remembered.
const NETWORKS: usize = 4_096;

/// The result of an attempt.
pub(super) enum Attempt<T> {
    Good(T),
    Wrong,
    /// The token was not looked at.
    TooMany,
}

/// Counts the wrong tokens of each network.
pub(super) struct Throttle(Mutex<Buckets>);

impl Default for Throttle {
    fn default() -> Self {
        Self(Mutex::new(Buckets::new(RATE, NETWORKS)))
    }
}

impl Throttle {
    /// Looks at the token with `look`, unless too many wrong ones came from that address. One attempt at a time, so
    /// that parallel attempts are no faster than consecutive ones.
    pub(super) fn attempt<T>(
        &self,
        peer: IpAddr,
        now: Instant,
        look: impl FnOnce() -> Option<T>,
    ) -> Attempt<T> {
        let mut buckets = self.0.lock();
        if !buckets.has_token(peer, now) {
            return Attempt::TooMany;
        }
        if let Some(good) = look() {
            return Attempt::Good(good);
        }
        buckets.take(peer, now);
        Attempt::Wrong
    }
}

/// Counts the log-ins of each network.
pub(super) struct Logins(Mutex<Buckets>);

impl Default for Logins {
    fn default() -> Self {
        Self(Mutex::new(Buckets::new(LOGINS, NETWORKS)))
    }
}

impl Logins {
    /// Whether that address may log in now.
    pub(super) fn admit(&self, peer: IpAddr, now: Instant) -> bool {
        let mut buckets = self.0.lock();
        let has_token = buckets.has_token(peer, now);
        if has_token {
            buckets.take(peer, now);
        }
        has_token
    }
}
