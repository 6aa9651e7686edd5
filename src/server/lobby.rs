//! Connections that have not said yet what they want. There is room for some; who comes then takes the place of the
//! one that has been silent longest. So thousands of sockets that say nothing keep nobody out who speaks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Places, in the order in which they were taken.
pub(super) struct Lobby {
    room: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    places: BTreeMap<u64, Arc<Notify>>,
}

/// A connection and its place, given back when dropped.
pub(super) struct Seat {
    lobby: Arc<Lobby>,
    evicted: Arc<Notify>,
    /// `None` while a request is served.
    number: Mutex<Option<u64>>,
}

impl Lobby {
    pub(super) fn new(room: usize) -> Arc<Self> {
        Arc::new(Self { room, waiting: Mutex::default() })
    }

    /// Takes a place.
    pub(super) fn enter(self: &Arc<Self>) -> Arc<Seat> {
        let seat = Seat { lobby: Arc::clone(self), evicted: Arc::default(), number: Mutex::new(None) };
        seat.sit();
        Arc::new(seat)
    }

    /// Held for single map operations.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// A request has come: the connection is served, and in nobody's way.
    pub(super) fn rise(&self) {
        if let Some(number) = self.number().take() {
            self.lobby.waiting().places.remove(&number);
        }
    }

    /// It was answered: the connection waits for the next one.
    pub(super) fn sit(&self) {
        let mut waiting = self.lobby.waiting();
        let number = waiting.next;
        waiting.next += 1;
        waiting.places.insert(number, Arc::clone(&self.evicted));
        if waiting.places.len() > self.lobby.room
            && let Some((_, longest)) = waiting.places.pop_first()
        {
            longest.notify_one();
        }
        drop(waiting);
        *self.number() = Some(number);
    }

    /// Resolves when somebody else needs the place.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    fn number(&self) -> MutexGuard<'_, Option<u64>> {
        self.number.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.rise();
    }
}
