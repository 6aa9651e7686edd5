//! The limit of new connections a second from one network address.

use std::net::IpAddr;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::server::rate::{Buckets, Rate};

/// Seconds of the rate that may come at once.
const BURST_S: f64 = 2.0;

/// Networks that are remembered.
const NETWORKS: usize = 10_000;

/// Counts the connections of each network.
pub(super) struct Admission(Mutex<Buckets>);

impl Admission {
    /// At most `per_second` connections, and twice as many at once.
    pub(super) fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Self(Mutex::new(Buckets::new(Rate { per_second, burst: per_second * BURST_S }, NETWORKS)))
    }

    /// Whether another connection from that address may come now.
    pub(super) fn admits(&self, address: IpAddr, now: Instant) -> bool {
        let mut buckets = self.0.lock();
        let admits = buckets.has_token(address, now);
        if admits {
            buckets.take(address, now);
        }
        admits
    }
}
