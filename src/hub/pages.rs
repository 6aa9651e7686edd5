//! Which pages of the journal are in memory: only a few at the same time, and not all of them for clients of one network.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::journal::{JournalError, Trouble, TroubleKind};

/// How many pages may be in memory at the same time.
const PAGES: usize = 8;

/// How many of them may be for clients of one network.
const OF_ONE: usize = 6;

/// A network, told from others by a digest, so that an idle client needs four bytes for it. Two networks with the same digest share their
/// part; nobody can choose one, because the digest is another one in each process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(u32);

/// Counts a page among those that are in memory, until it is dropped.
pub struct PagePermit {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

/// Hands out the permits.
pub(super) struct Pages {
    all: Arc<Semaphore>,
    /// What is left to each network that has pages or waits for them.
    by_network: Mutex<HashMap<Network, Arc<Semaphore>>>,
    hasher: RandomState,
}

impl Pages {
    pub(super) fn new() -> Self {
        let all = Arc::new(Semaphore::new(PAGES));
        Self { all, by_network: Mutex::default(), hasher: RandomState::new() }
    }

    pub(super) fn network(&self, address: IpAddr) -> Network {
        let digest = self.hasher.hash_one(address);
        Network((digest >> 32) as u32)
    }

    /// Waits for a page. No more of one network wait in the queue of all than may have one, so a network that has few clients does not
    /// wait behind those of one that has many.
    pub(super) async fn take(&self, network: Network) -> Result<PagePermit, JournalError> {
        let own = self.of(network);
        // Neither semaphore is ever closed.
        let closed = |error| JournalError::Unavailable(Trouble::from_error(TroubleKind::Stopped, error));
        let own = own.acquire_owned().await.map_err(closed)?;
        let all = Arc::clone(&self.all).acquire_owned().await.map_err(closed)?;
        Ok(PagePermit { _own: own, _all: all })
    }

    fn of(&self, network: Network) -> Arc<Semaphore> {
        let mut networks = self.by_network.lock();
        // A permit, and whoever waits for one, has its own reference.
        networks.retain(|_, left| Arc::strong_count(left) > 1);
        Arc::clone(networks.entry(network).or_insert_with(|| Arc::new(Semaphore::new(OF_ONE))))
    }

    /// Whether a client of this network would have to wait.
    pub(super) fn is_short(&self, network: Network) -> bool {
        let has_none = |left: &Arc<Semaphore>| left.available_permits() == 0;
        has_none(&self.all) || self.by_network.lock().get(&network).is_some_and(has_none)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn one_network_leaves_pages_to_others() {
        let pages = Arc::new(Pages::new());
        let network = |last| pages.network(IpAddr::from([192, 0, 2, last]));
        let mut held = Vec::new();
        for _ in 0..OF_ONE {
            held.push(pages.take(network(1)).await.expect("a page"));
        }
        assert!(pages.is_short(network(1)) && !pages.is_short(network(2)));
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let (pages, network) = (Arc::clone(&pages), network(1));
                tokio::spawn(async move { pages.take(network).await.map(drop) })
            })
            .collect();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        for other in 2..4 {
            let taken =
                pages.take(network(other)).now_or_never().expect("it does not wait for the first network");
            held.push(taken.expect("a page"));
        }
        assert!(pages.is_short(network(4)));
        held.clear();
        for waiting in waiting {
            assert!(waiting.await.expect("it does not panic").is_ok());
        }
        drop(pages.of(network(9)));
        assert_eq!(pages.by_network.lock().len(), 1, "networks without pages are forgotten");
    }
}
