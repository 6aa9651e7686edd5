//! Who publishes, and how many events each token may publish a second.

use std::collections::HashMap;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::token::{Digest, Sources};

/// So many seconds' worth of events may come at once.
const BURST_S: f64 = 4.0;

/// The most tokens that are remembered. Beyond it those with full buckets are forgotten.
const MOST: usize = 10_000;

/// An extension of each request that may publish: by which token, and under which sources.
#[derive(Debug, Clone, Default)]
pub(in crate::server) struct PublisherId {
    /// The token, also that of a session; `None` if the server is open.
    pub(in crate::server) token: Option<Digest>,
    /// The sources under which it may publish; `None` for any.
    pub(in crate::server) sources: Option<Sources>,
}

impl PublisherId {
    /// Whether it may publish events of this source.
    pub(in crate::server) fn may_publish_as(&self, source: &str) -> bool {
        self.sources.as_ref().is_none_or(|sources| sources.allow(source))
    }
}

/// A bucket for each token. Requests without a token share one.
pub(in crate::server) struct PublishRate {
    per_second: f64,
    buckets: Mutex<HashMap<Option<Digest>, (f64, Instant)>>,
}

impl PublishRate {
    pub(in crate::server) fn new(per_second: u32) -> Self {
        Self { per_second: per_second.into(), buckets: Mutex::default() }
    }

    /// Takes `events` from the bucket of a token. A request with more events than a bucket holds needs a full one.
    ///
    /// # Errors
    /// It has not as many: the seconds until it has.
    pub(in crate::server) fn take(&self, token: Option<Digest>, events: usize) -> Result<(), u64> {
        let (now, burst) = (Instant::now(), self.per_second * BURST_S);
        let refilled = |(left, at): (f64, Instant)| {
            (left + now.saturating_duration_since(at).as_secs_f64() * self.per_second).min(burst)
        };
        let mut buckets = self.buckets.lock();
        if buckets.len() >= MOST {
            buckets.retain(|_, bucket| refilled(*bucket) < burst);
        }
        let left = buckets.get(&token).map_or(burst, |bucket| refilled(*bucket));
        let wanted = events as f64;
        let missing = wanted.min(burst) - left;
        let left = if missing <= 0.0 { left - wanted } else { left };
        buckets.insert(token, (left, now));
        if missing <= 0.0 { Ok(()) } else { Err(((missing / self.per_second).ceil() as u64).max(1)) }
    }
}
