//! How fast connections may come from one address: a token bucket each.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Seconds of the rate that may come at once.
const BURST_S: f64 = 2.0;

/// Addresses that are remembered: more than this, and those whose bucket is full again are forgotten.
const REMEMBERED: usize = 10_000;

/// The buckets.
pub(super) struct Admission {
    /// A second and an address.
    rate: f64,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Admission {
    pub(super) fn new(rate: u32) -> Self {
        Self { rate: f64::from(rate), buckets: Mutex::default() }
    }

    /// Whether another connection from there may come now.
    pub(super) fn admits(&self, address: IpAddr, now: Instant) -> bool {
        let most = self.rate * BURST_S;
        let refilled = |bucket: Bucket| {
            let since = now.saturating_duration_since(bucket.at).as_secs_f64();
            (bucket.tokens + since * self.rate).min(most)
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= REMEMBERED {
            buckets.retain(|_, bucket| refilled(*bucket) < most);
        }
        let bucket = buckets.entry(network(address)).or_insert(Bucket { tokens: most, at: now });
        let tokens = refilled(*bucket);
        let admits = tokens >= 1.0;
        *bucket = Bucket { tokens: if admits { tokens - 1.0 } else { tokens }, at: now };
        admits
    }
}

/// Whoever has one IPv6 address has a network of them.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}
