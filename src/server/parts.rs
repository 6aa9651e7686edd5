//! Parts of something that all requests together may take so much of: no network takes so much that nothing is left for the others.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::rate::network;
use super::turns::Busy;

/// What is left of it.
pub(super) struct Parts {
    all: Arc<Semaphore>,
    /// The most of one network …
    of_one: u32,
    /// … and what is left of that, of the networks that have some.
    by_network: Mutex<HashMap<IpAddr, Arc<Semaphore>>>,
}

/// A part, given back when dropped.
pub(super) struct Part {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Parts {
    /// So many units, of which one network takes no more than three quarters.
    pub(super) fn new(units: u32) -> Self {
        let of_one = units - units / 4;
        Self { all: Arc::new(Semaphore::new(units as usize)), of_one, by_network: Mutex::default() }
    }

    /// Takes so many units for the network of an address. If it has none it may take more than its share, at once.
    pub(super) fn take(&self, address: IpAddr, units: u32) -> Result<Part, Busy> {
        let take =
            |of: &Arc<Semaphore>, units| Arc::clone(of).try_acquire_many_owned(units).map_err(|_| Busy);
        // Under the lock, so that it is not forgotten meanwhile as one that has nothing.
        let mut networks = self.by_network.lock();
        // Each part that is taken has its own reference.
        networks.retain(|_, own| Arc::strong_count(own) > 1);
        let own = networks
            .entry(network(address))
            .or_insert_with(|| Arc::new(Semaphore::new(self.of_one as usize)));
        let own = take(own, units.min(self.of_one))?;
        Ok(Part { _own: own, _all: take(&self.all, units)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_takes_three_quarters_or_one_larger_part() {
        let parts = Parts::new(16);
        let address = |last| IpAddr::from([192, 0, 2, last]);
        let held: Vec<_> = (0..11).map(|_| parts.take(address(1), 1).ok()).collect();
        assert!(held.iter().all(Option::is_some) && parts.take(address(1), 2).is_err());
        assert!(parts.take(address(2), 5).is_ok());
        drop(held);
        assert!(parts.take(address(1), 16).is_ok(), "alone it may be larger");
        assert!(parts.take(address(1), 17).is_err());
        assert_eq!(parts.by_network.lock().len(), 1, "networks that have nothing are forgotten");
    }
}
