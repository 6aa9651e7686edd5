//! Token buckets: how often a network address may do something.

use std::collections::HashMap;
use std::net::IpAddr;

use tokio::time::Instant;

/// One bucket for each network. A network that was never seen has a full one.
pub(super) struct Buckets {
    rate: Rate,
    /// The most networks that are remembered. Beyond it full buckets are forgotten, then the one used longest ago.
    most: usize,
    by_network: HashMap<IpAddr, Bucket>,
}

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    /// Tokens that are added a second.
    pub(super) per_second: f64,
    /// Tokens of a full bucket.
    pub(super) burst: f64,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn refilled(self, rate: Rate, now: Instant) -> f64 {
        let more = now.saturating_duration_since(self.at).as_secs_f64() * rate.per_second;
        (self.tokens + more).min(rate.burst)
    }
}

impl Buckets {
    /// Buckets of `most` networks.
    pub(super) fn new(rate: Rate, most: usize) -> Self {
        Self { rate, most, by_network: HashMap::new() }
    }

    /// Whether the network of `address` has a token left.
    pub(super) fn has_token(&self, address: IpAddr, now: Instant) -> bool {
        self.tokens(network(address), now) >= 1.0
    }

    /// Takes a token from the network of `address`. An empty bucket stays empty.
    pub(super) fn take(&mut self, address: IpAddr, now: Instant) {
        let network = network(address);
        let tokens = (self.tokens(network, now) - 1.0).max(0.0);
        if self.by_network.len() >= self.most && !self.by_network.contains_key(&network) {
            self.forget(now);
        }
        self.by_network.insert(network, Bucket { tokens, at: now });
    }

    fn tokens(&self, network: IpAddr, now: Instant) -> f64 {
        self.by_network.get(&network).map_or(self.rate.burst, |bucket| bucket.refilled(self.rate, now))
    }

    fn forget(&mut self, now: Instant) {
        let rate = self.rate;
        self.by_network.retain(|_, bucket| bucket.refilled(rate, now) < rate.burst);
        if self.by_network.len() >= self.most
            && let Some(oldest) = self.by_network.iter().min_by_key(|(_, bucket)| bucket.at)
        {
            let oldest = *oldest.0;
            self.by_network.remove(&oldest);
        }
    }
}

/// A client that has one IPv6 address has the /64 around it.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_network_has_its_burst_and_then_its_rate() {
        let mut buckets = Buckets::new(Rate { per_second: 2.0, burst: 3.0 }, 10);
        let address = |network, last| IpAddr::from([0x2001, 0xdb8, network, 0, 0, 0, 0, last]);
        let (one, other) = (address(0, 1), address(0, 2));
        let start = Instant::now();
        for _ in 0..3 {
            assert!(buckets.has_token(one, start));
            buckets.take(one, start);
        }
        assert!(!buckets.has_token(other, start), "both are in one /64");
        assert!(buckets.has_token(address(1, 1), start));
        let later = start + Duration::from_millis(500);
        assert!(buckets.has_token(one, later));
        buckets.take(one, later);
        assert!(!buckets.has_token(one, later));
    }

    #[test]
    fn no_more_networks_are_remembered_than_allowed() {
        let mut buckets = Buckets::new(Rate { per_second: 1.0, burst: 2.0 }, 4);
        let start = Instant::now();
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        for (last, seconds) in (0..20).zip(0..) {
            buckets.take(address(last), start + Duration::from_millis(seconds));
            assert!(buckets.by_network.len() <= 4);
        }
        // The one that was used longest ago made room.
        assert!(
            buckets.by_network.contains_key(&address(19)) && !buckets.by_network.contains_key(&address(15))
        );
    }
}
