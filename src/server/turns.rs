//! Turns: how much costly work is done at the same time, and how much more may wait for it. Each network has its own queue, from which
//! only as much goes into that of all as is done at the same time: so networks take turns, and none of them makes the others wait for
//! all that it asks for.

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

/// The longest that a request waits for long work, because that before it may take seconds each: less than the 30 s that clients wait.
const LONG_PATIENCE: Duration = Duration::from_secs(20);

/// Long work of all networks at the same time: each may hold as much memory as the report of the longest incident needs.
const LANES: usize = 2;

/// Networks that wait for each other.
const OTHERS: usize = 256;

/// Long work of one network that waits for that before it.
const BEHIND: usize = 8;

/// A queue for the same work.
struct Queue {
    /// Work that is done at the same time.
    turns: Arc<Semaphore>,
    /// Work that is done or waits for its turn.
    places: Arc<Semaphore>,
}

/// A place in a queue whose turn has come, given back when dropped.
struct Place {
    _place: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

/// Too much work waits, or waits for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Busy;

impl Queue {
    fn new(turns: usize, waiting: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(turns)), places: Arc::new(Semaphore::new(turns + waiting)) }
    }

    async fn take(&self, patience: Duration) -> Result<Place, Busy> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Busy)?;
        let turn = timeout(patience, Arc::clone(&self.turns).acquire_owned()).await;
        // The semaphore is never closed.
        let turn = turn.ok().and_then(Result::ok).ok_or(Busy)?;
        Ok(Place { _place: place, _turn: turn })
    }
}

/// Hands out the turns of one kind of work.
pub(super) struct Turns {
    all: Queue,
    /// Turns of one network at the same time, and how much more of it may wait.
    of_one: (usize, usize),
    patience: Duration,
    /// Of the networks that have work or wait.
    by_network: Mutex<HashMap<IpAddr, Arc<Queue>>>,
}

/// The permission to do the work, given back when dropped.
pub(super) struct Turn {
    _own: Place,
    _one: Place,
    /// Kept: the network is forgotten with the last of its work.
    _network: Arc<Queue>,
}

impl Turns {
    /// Half of the cores may do the work at the same time: the others play and deliver events. So much more of a network may wait.
    pub(super) fn new(cores: usize, waiting: usize) -> Self {
        let turns = (cores / 2).clamp(1, 4);
        Self::of_all(turns, (turns, waiting), PATIENCE)
    }

    /// The turns of long work.
    pub(super) fn long() -> Self {
        Self::of_all(LANES, (1, BEHIND), LONG_PATIENCE)
    }

    fn of_all(turns: usize, of_one: (usize, usize), patience: Duration) -> Self {
        Self { all: Queue::new(turns, OTHERS), of_one, patience, by_network: Mutex::default() }
    }

    /// Waits for a turn of the network of an address.
    pub(super) async fn take(&self, address: IpAddr) -> Result<Turn, Busy> {
        let network = self.of(address);
        let began = Instant::now();
        let own = network.take(self.patience).await?;
        let one = self.all.take(self.patience.saturating_sub(began.elapsed())).await?;
        Ok(Turn { _own: own, _one: one, _network: network })
    }

    fn of(&self, address: IpAddr) -> Arc<Queue> {
        let mut networks = self.by_network.lock();
        networks.retain(|_, queue| Arc::strong_count(queue) > 1);
        let (turns, waiting) = self.of_one;
        let queue = networks.entry(network(address)).or_insert_with(|| Arc::new(Queue::new(turns, waiting)));
        Arc::clone(queue)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const ONE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[tokio::test(start_paused = true)]
    async fn one_network_does_not_keep_the_others_from_long_work() {
        let lanes = Arc::new(Turns::long());
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
        let first = turns.take(ONE).await.expect("a turn");
        let waiting: Vec<_> = (0..WAITING)
            .map(|_| {
                let turns = Arc::clone(&turns);
                tokio::spawn(async move { turns.take(ONE).await.map(drop) })
            })
            .collect();
        // The runtime does not run all of them in one go.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        assert!(turns.take(ONE).await.is_err(), "too many wait");
        drop(first);
        for waiting in waiting {
            assert!(waiting.await.expect("it does not panic").is_ok());
        }
        assert!(turns.take(ONE).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_waits_for_too_long_is_refused_and_gives_its_place_back() {
        let turns = Turns::new(2, 1);
        let _held = turns.take(ONE).await.expect("a turn");
        for _ in 0..3 {
            assert_eq!(turns.take(ONE).await.err(), Some(Busy));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn networks_take_turns_however_much_one_of_them_asks_for() {
        let turns = Arc::new(Turns::new(2, 256));
        let work = |address: IpAddr| {
            let turns = Arc::clone(&turns);
            tokio::spawn(async move {
                let turn = turns.take(address).await;
                tokio::time::sleep(Duration::from_millis(150)).await;
                turn.is_ok()
            })
        };
        let many: Vec<_> = (0..250).map(|_| work(ONE)).collect();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let began = Instant::now();
        assert!(work(IpAddr::from([192, 0, 2, 1])).await.is_ok_and(|taken| taken));
        assert!(began.elapsed() < Duration::from_millis(500), "it waited for {:?}", began.elapsed());
        drop(many);
    }
}
