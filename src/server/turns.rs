//! Turns: how much costly work is done at the same time, and how much more may wait for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The longest that a request waits for its turn: longer than a journal takes to say that its disk hangs.
const PATIENCE: Duration = Duration::from_secs(6);

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
        let turns = (cores / 2).clamp(1, 4);
        Self { turns: Arc::new(Semaphore::new(turns)), places: Arc::new(Semaphore::new(turns + waiting)) }
    }

    /// Waits for a turn.
    pub(super) async fn take(&self) -> Result<Turn, Busy> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Busy)?;
        let turn = timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        // The semaphore is never closed.
        let turn = turn.ok().and_then(Result::ok).ok_or(Busy)?;
        Ok(Turn { _place: place, _turn: turn })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
