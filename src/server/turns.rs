//! Turns: how much costly work is done at the same time, and how much more may wait for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::rate::network;

/// The longest that a request waits for its turn: longer than a journal takes to say that its disk hangs.
const PATIENCE: Duration = Duration::from_secs(6);

/// The longest that a request waits for its lane, because those before it may take seconds each: less than the 30 s that clients wait.
const LONG_PATIENCE: Duration = Duration::from_secs(20);

/// Hands out the turns of one kind of work.
pub(super) struct Turns {
    /// Work that is done at the same time.
    turns: Arc<Semaphore>,
    /// Work that is done or waits for its turn.
    places: Arc<Semaphore>,
}

/// The permission to do the work, given back when dropped.
pub(super) struct Turn {
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

/// Too much work waits, or waits for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Busy;

impl Turns {
    /// Half of the cores may do the work at the same time: the others play and deliver events. So much more may wait.
    pub(super) fn new(cores: usize, waiting: usize) -> Self {
        Self::of((cores / 2).clamp(1, 4), waiting)
    }

    fn of(turns: usize, waiting: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(turns)), places: Arc::new(Semaphore::new(turns + waiting)) }
    }

    /// Waits for a turn.
    pub(super) async fn take(&self) -> Result<Turn, Busy> {
        self.take_within(PATIENCE).await
    }

    async fn take_within(&self, patience: Duration) -> Result<Turn, Busy> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Busy)?;
        let turn = timeout(patience, Arc::clone(&self.turns).acquire_owned()).await;
        // The semaphore is never closed.
        let turn = turn.ok().and_then(Result::ok).ok_or(Busy)?;
        Ok(Turn { _place: place, _turn: turn })
    }
}

/// Long work of all networks at the same time: each may hold as much memory as the report of the longest incident needs.
const LANES: usize = 2;

/// Networks whose long work waits for that of others.
const OTHERS: usize = 256;

/// Long work of one network that waits for that before it.
const BEHIND: usize = 8;

/// Hands out the lanes of long work: one for each network, so that none of them makes the others wait for all that it asks for.
pub(super) struct Lanes {
    all: Turns,
    /// Of the networks that have work or wait.
    by_network: Mutex<HashMap<IpAddr, Arc<Turns>>>,
}

/// The permission to do long work, given back when dropped.
pub(super) struct Lane {
    _own: Turn,
    _one: Turn,
    /// Kept: the network is forgotten with the last of its work.
    _network: Arc<Turns>,
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self { all: Turns::of(LANES, OTHERS), by_network: Mutex::default() }
    }

    /// Waits for the lane of the network of an address.
    pub(super) async fn take(&self, address: IpAddr) -> Result<Lane, Busy> {
        let turns = self.of(address);
        let began = Instant::now();
        let own = turns.take_within(LONG_PATIENCE).await?;
        let one = self.all.take_within(LONG_PATIENCE.saturating_sub(began.elapsed())).await?;
        Ok(Lane { _own: own, _one: one, _network: turns })
    }

    fn of(&self, address: IpAddr) -> Arc<Turns> {
        let mut networks = self.by_network.lock();
        networks.retain(|_, turns| Arc::strong_count(turns) > 1);
        let turns = networks.entry(network(address)).or_insert_with(|| Arc::new(Turns::of(1, BEHIND)));
        Arc::clone(turns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_network_does_not_keep_the_others_from_long_work() {
        let lanes = Arc::new(Lanes::new());
        let address = |network, last| IpAddr::from([0x2001, 0xdb8, network, 0, 0, 0, 0, last]);
        let first = lanes.take(address(1, 1)).await.expect("a lane");
        let waiting: Vec<_> = (0..BEHIND)
            .map(|_| {
                let lanes = Arc::clone(&lanes);
                tokio::spawn(async move { lanes.take(address(1, 2)).await.map(drop) })
            })
            .collect();
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        assert!(lanes.take(address(1, 3)).await.is_err(), "too many of this network wait");
        let others: Vec<_> = (2..).take(LANES - 1).map(|network| address(network, 1)).collect();
        let mut held = Vec::new();
        for other in others {
            held.push(lanes.take(other).await.expect("its network has no work"));
        }
        assert!(lanes.take(address(99, 1)).await.is_err(), "all lanes are taken for too long");
        drop(held);
        drop(first);
        for waiting in waiting {
            // Those that have waited for too long are refused by now.
            let _ = waiting.await.expect("it does not panic");
        }
        assert!(lanes.take(address(1, 1)).await.is_ok());
        lanes.of(address(7, 1));
        assert_eq!(lanes.by_network.lock().len(), 1, "networks without work are forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn work_waits_for_its_turn_and_the_rest_is_refused() {
        const WAITING: usize = 5;
        let turns = Arc::new(Turns::new(2, WAITING));
        let first = turns.take().await.expect("a turn");
        let waiting: Vec<_> = (0..WAITING)
            .map(|_| {
                let turns = Arc::clone(&turns);
                tokio::spawn(async move { turns.take().await.map(drop) })
            })
            .collect();
        // The runtime does not run all of them in one go.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        assert!(turns.take().await.is_err(), "too many wait");
        drop(first);
        for waiting in waiting {
            assert!(waiting.await.expect("it does not panic").is_ok());
        }
        assert!(turns.take().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_waits_for_too_long_is_refused_and_gives_its_place_back() {
        let turns = Turns::new(2, 1);
        let _held = turns.take().await.expect("a turn");
        for _ in 0..3 {
            assert_eq!(turns.take().await.err(), Some(Busy));
        }
    }
}
