//! Connections that are no stream: they wait for a request, or one of theirs is served. Their number is bounded: a new one
//! takes the place of the one that has been silent longest or, if none is silent, of the one that has been served
//! longest. So thousands of silent or slow sockets keep no client out.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// The slots, in the order in which they were taken.
pub(super) struct Lobby {
    /// Connections that may wait at the same time.
    waiting: usize,
    /// Connections that may wait or be served at the same time.
    all: usize,
    /// Locked for single map operations.
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    next: u64,
    waiting: BTreeMap<u64, Arc<Notify>>,
    served: BTreeMap<u64, Arc<Notify>>,
}

impl Slots {
    fn has(&self, phase: Phase) -> bool {
        match phase {
            Phase::Waiting(number) => self.waiting.contains_key(&number),
            Phase::Serving(number) => self.served.contains_key(&number),
            Phase::Streaming => true,
        }
    }

    fn leave(&mut self, phase: Phase) {
        match phase {
            Phase::Waiting(number) => drop(self.waiting.remove(&number)),
            Phase::Serving(number) => drop(self.served.remove(&number)),
            Phase::Streaming => {}
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Evicts a connection, but never the only one that waits: it has just come.
    fn make_room(&mut self) {
        let longest = if self.waiting.len() > 1 { &mut self.waiting } else { &mut self.served };
        if let Some((_, longest)) = longest.pop_first() {
            longest.notify_one();
        }
    }
}

/// A connection's slot, given back when dropped.
pub(in crate::server) struct WaitingSlot {
    lobby: Arc<Lobby>,
    evicted: Arc<Notify>,
    phase: Mutex<Phase>,
}

/// What a connection does.
#[derive(Clone, Copy)]
enum Phase {
    /// It waits for a request, in the slot of this number.
    Waiting(u64),
    /// A request of it is served, in the slot of this number.
    Serving(u64),
    /// It became a stream.
    Streaming,
}

impl Lobby {
    /// So many connections may wait, and so many more may be served.
    pub(super) fn new(waiting: usize, served: usize) -> Arc<Self> {
        Arc::new(Self { waiting, all: waiting + served, slots: Mutex::default() })
    }

    /// Takes a slot for a new connection, which waits for its first request.
    pub(super) fn enter(self: &Arc<Self>) -> Arc<WaitingSlot> {
        let lobby = Arc::clone(self);
        let number = self.slots.lock().number();
        let slot = WaitingSlot { lobby, evicted: Arc::default(), phase: Mutex::new(Phase::Serving(number)) };
        slot.wait();
        Arc::new(slot)
    }

    /// Evicts a connection: the system gives no further descriptor.
    pub(super) fn make_room(&self) {
        self.slots.lock().make_room();
    }
}

impl WaitingSlot {
    /// A request has come: it is served.
    pub(in crate::server) fn serve(&self) {
        self.change(|slots, evicted| {
            let number = slots.number();
            slots.served.insert(number, evicted);
            Phase::Serving(number)
        });
    }

    /// The response goes on as a stream: the connection will not wait again, and counts among the clients.
    pub(super) fn stream(&self) {
        self.change(|_, _| Phase::Streaming);
    }

    /// The connection waits for its next request, or for more of one.
    pub(in crate::server) fn wait(&self) {
        let (most, all) = (self.lobby.waiting, self.lobby.all);
        self.change(|slots, evicted| {
            let number = slots.number();
            slots.waiting.insert(number, evicted);
            if slots.waiting.len() > most || slots.waiting.len() + slots.served.len() > all {
                slots.make_room();
            }
            Phase::Waiting(number)
        });
    }

    fn change(&self, to: impl FnOnce(&mut Slots, Arc<Notify>) -> Phase) {
        let mut phase = self.phase.lock();
        if matches!(*phase, Phase::Streaming) {
            return;
        }
        let mut slots = self.lobby.slots.lock();
        slots.leave(*phase);
        *phase = to(&mut slots, Arc::clone(&self.evicted));
    }

    /// Resolves when another connection took the slot of this one. A connection whose request came in the meantime stays.
    pub(super) async fn evicted(&self) {
        loop {
            self.evicted.notified().await;
            if self.lost_its_slot() {
                return;
            }
        }
    }

    fn lost_its_slot(&self) -> bool {
        // Locked throughout: a request that comes meanwhile would take another slot.
        let phase = self.phase.lock();
        !self.lobby.slots.lock().has(*phase)
    }
}

impl Drop for WaitingSlot {
    fn drop(&mut self) {
        let phase = *self.phase.get_mut();
        self.lobby.slots.lock().leave(phase);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn is_evicted(slot: &WaitingSlot) -> bool {
        slot.evicted().now_or_never().is_some()
    }

    #[test]
    fn the_connection_that_has_been_silent_longest_is_evicted() {
        let lobby = Lobby::new(2, 9);
        let slots: Vec<_> = (0..3).map(|_| lobby.enter()).collect();
        assert_eq!(slots.iter().map(|slot| is_evicted(slot)).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn a_connection_that_is_served_is_not_evicted() {
        let lobby = Lobby::new(1, 9);
        let served = lobby.enter();
        served.serve();
        let (first, _second) = (lobby.enter(), lobby.enter());
        assert!(is_evicted(&first) && !is_evicted(&served));
        served.wait();
        let _third = lobby.enter();
        assert!(is_evicted(&served));
    }

    #[test]
    fn a_request_that_comes_during_the_eviction_is_served() {
        let lobby = Lobby::new(1, 9);
        let called = lobby.enter();
        let _other = lobby.enter();
        called.serve();
        assert!(!is_evicted(&called));
        // The eviction from its old slot does not count against its new one.
        let again = lobby.enter();
        let _other = lobby.enter();
        again.serve();
        again.wait();
        assert!(!is_evicted(&again));
    }

    #[test]
    fn a_stream_never_waits() {
        let lobby = Lobby::new(1, 9);
        let stream = lobby.enter();
        stream.serve();
        stream.stream();
        // The head of its response was sent.
        stream.wait();
        let (first, _second) = (lobby.enter(), lobby.enter());
        assert!(is_evicted(&first) && !is_evicted(&stream));
    }

    #[test]
    fn if_none_waits_the_connection_that_has_been_served_longest_is_evicted() {
        let lobby = Lobby::new(2, 1);
        let serve = |_| {
            let slot = lobby.enter();
            slot.serve();
            slot
        };
        let served: Vec<_> = (0..3).map(serve).collect();
        let _new = lobby.enter();
        assert_eq!(served.iter().map(|slot| is_evicted(slot)).collect::<Vec<_>>(), [true, false, false]);
        let stream = lobby.enter();
        stream.serve();
        stream.stream();
        drop((served, stream));
        assert_eq!(lobby.slots.lock().served.len(), 0);
    }
}
