//! How often an address may be wrong: a token bucket each, so that nobody guesses quickly and nobody else is locked out.
//!
//! An empty bucket refuses without looking: if right tokens were let in, a guesser would see them by that. So one who
//! shares the address of a guesser waits with him, for half a second after he stops. Sessions are exempt: there is no
//! guessing an id of 256 bits, so a page that is logged in never notices.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::server::admission::network;

/// Wrong tokens that an address may show at once …
const BURST: f64 = 20.0;

/// … and in the long run in a second.
const PER_SECOND: f64 = 2.0;

/// Addresses that are remembered. Beyond it the one that was wrong the longest ago is forgotten.
const ADDRESSES: usize = 4_096;

/// What came of an attempt.
pub(super) enum Attempt<T> {
    Good(T),
    Wrong,
    /// It was not looked at.
    TooMany,
}

#[derive(Default)]
pub(super) struct Throttle {
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    level: f64,
    at: Instant,
}

impl Bucket {
    fn now(self, now: Instant) -> Self {
        let more = now.saturating_duration_since(self.at).as_secs_f64() * PER_SECOND;
        Self { level: (self.level + more).min(BURST), at: now }
    }
}

impl Throttle {
    /// Looks at what an address shows, if it was not wrong too often. One at a time, so that many at once are no more
    /// than many in a row.
    pub(super) fn attempt<T>(
        &self,
        peer: IpAddr,
        now: Instant,
        look: impl FnOnce() -> Option<T>,
    ) -> Attempt<T> {
        let peer = network(peer);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.get(&peer).map(|bucket| bucket.now(now));
        if bucket.is_some_and(|bucket| bucket.level < 1.0) {
            return Attempt::TooMany;
        }
        if let Some(good) = look() {
            return Attempt::Good(good);
        }
        if bucket.is_none() && buckets.len() >= ADDRESSES {
            forget(&mut buckets, now);
        }
        let level = bucket.map_or(BURST, |bucket| bucket.level) - 1.0;
        buckets.insert(peer, Bucket { level, at: now });
        Attempt::Wrong
    }
}

fn forget(buckets: &mut HashMap<IpAddr, Bucket>, now: Instant) {
    buckets.retain(|_, bucket| bucket.now(now).level < BURST);
    if buckets.len() >= ADDRESSES
        && let Some(oldest) = buckets.iter().min_by_key(|(_, bucket)| bucket.at).map(|(peer, _)| *peer)
    {
        buckets.remove(&oldest);
    }
}
