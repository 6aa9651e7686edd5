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
    place: Mutex<Place>,
}

/// Where a connection is.
#[derive(Clone, Copy)]
enum Place {
    /// It waits, under this number.
    Lobby(u64),
    /// A request of it is served.
    Served,
    /// It became a stream.
    Stream,
}

impl Lobby {
    pub(super) fn new(room: usize) -> Arc<Self> {
        Arc::new(Self { room, waiting: Mutex::default() })
    }

    /// Takes a place.
    pub(super) fn enter(self: &Arc<Self>) -> Arc<Seat> {
        let seat =
            Seat { lobby: Arc::clone(self), evicted: Arc::default(), place: Mutex::new(Place::Served) };
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
        self.change(Place::Served);
    }

    /// It waits for nothing more: its answer goes on.
    pub(super) fn leave(&self) {
        self.change(Place::Stream);
    }

    fn change(&self, to: Place) {
        if let Place::Lobby(number) = std::mem::replace(&mut *self.place(), to) {
            self.lobby.waiting().places.remove(&number);
        }
    }

    /// It was answered: the connection waits for the next one.
    pub(super) fn sit(&self) {
        if matches!(*self.place(), Place::Stream) {
            return;
        }
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
        *self.place() = Place::Lobby(number);
    }

    /// Resolves when somebody else has the place that it waits at. Who was called in meanwhile stays.
    pub(super) async fn evicted(&self) {
        loop {
            self.evicted.notified().await;
            if let Place::Lobby(number) = *self.place()
                && !self.lobby.waiting().places.contains_key(&number)
            {
                return;
            }
        }
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.rise();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn is_evicted(seat: &Seat) -> bool {
        seat.evicted().now_or_never().is_some()
    }

    #[test]
    fn who_has_been_silent_longest_makes_room() {
        let lobby = Lobby::new(2);
        let seats: Vec<_> = (0..3).map(|_| lobby.enter()).collect();
        assert_eq!(seats.iter().map(|seat| is_evicted(seat)).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn who_is_served_has_no_place_to_lose() {
        let lobby = Lobby::new(1);
        let served = lobby.enter();
        served.rise();
        let (first, _second) = (lobby.enter(), lobby.enter());
        assert!(is_evicted(&first) && !is_evicted(&served));
        served.sit();
        let _third = lobby.enter();
        assert!(is_evicted(&served));
    }

    #[test]
    fn who_was_called_in_while_its_place_was_taken_stays() {
        let lobby = Lobby::new(1);
        let called = lobby.enter();
        let _other = lobby.enter();
        called.rise();
        assert!(!is_evicted(&called));
        // Nor does what happened to its old place count against the new one.
        let again = lobby.enter();
        let _other = lobby.enter();
        again.rise();
        again.sit();
        assert!(!is_evicted(&again));
    }

    #[test]
    fn a_stream_waits_for_nothing() {
        let lobby = Lobby::new(1);
        let stream = lobby.enter();
        stream.rise();
        stream.leave();
        // Its answer has begun.
        stream.sit();
        let (first, _second) = (lobby.enter(), lobby.enter());
        assert!(is_evicted(&first) && !is_evicted(&stream));
    }
}
