//! Connections that wait for a request. Their number is bounded: a new one takes the slot of the one that has been
//! silent longest, so thousands of silent sockets keep no client out.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// The slots, in the order in which they were taken.
pub(super) struct Lobby {
    capacity: usize,
    /// Locked for single map operations.
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    slots: BTreeMap<u64, Arc<Notify>>,
}

/// A connection's slot among the waiting ones, given back when dropped.
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
    /// A request of it is served.
    Serving,
    /// It became a stream.
    Streaming,
}

impl Lobby {
    pub(super) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self { capacity, waiting: Mutex::default() })
    }

    /// Takes a slot for a new connection.
    pub(super) fn enter(self: &Arc<Self>) -> Arc<WaitingSlot> {
        let lobby = Arc::clone(self);
        let slot = WaitingSlot { lobby, evicted: Arc::default(), phase: Mutex::new(Phase::Serving) };
        slot.wait();
        Arc::new(slot)
    }
}

impl WaitingSlot {
    /// A request has come: the connection gives its slot back.
    pub(in crate::server) fn serve(&self) {
        self.change(Phase::Serving);
    }

    /// The response goes on as a stream: the connection will not wait again.
    pub(super) fn stream(&self) {
        self.change(Phase::Streaming);
    }

    fn change(&self, to: Phase) {
        if let Phase::Waiting(number) = std::mem::replace(&mut *self.phase.lock(), to) {
            self.lobby.waiting.lock().slots.remove(&number);
        }
    }

    /// The connection waits for its next request, or for more of one.
    pub(in crate::server) fn wait(&self) {
        if matches!(*self.phase.lock(), Phase::Streaming) {
            return;
        }
        let mut waiting = self.lobby.waiting.lock();
        let number = waiting.next;
        waiting.next += 1;
        waiting.slots.insert(number, Arc::clone(&self.evicted));
        if waiting.slots.len() > self.lobby.capacity
            && let Some((_, longest)) = waiting.slots.pop_first()
        {
            longest.notify_one();
        }
        drop(waiting);
        *self.phase.lock() = Phase::Waiting(number);
    }

    /// Resolves when another connection took the slot that this one waits in. A connection whose request came in the
    /// meantime stays.
    pub(super) async fn evicted(&self) {
        loop {
            self.evicted.notified().await;
            if self.lost_its_slot() {
                return;
            }
        }
    }

    fn lost_its_slot(&self) -> bool {
        // Locked throughout: a request that comes meanwhile would give the slot back.
        let phase = self.phase.lock();
        let Phase::Waiting(number) = *phase else { return false };
        !self.lobby.waiting.lock().slots.contains_key(&number)
    }
}

impl Drop for WaitingSlot {
    fn drop(&mut self) {
        self.serve();
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
        let lobby = Lobby::new(2);
        let slots: Vec<_> = (0..3).map(|_| lobby.enter()).collect();
        assert_eq!(slots.iter().map(|slot| is_evicted(slot)).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn a_connection_that_is_served_is_not_evicted() {
        let lobby = Lobby::new(1);
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
        let lobby = Lobby::new(1);
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
        let lobby = Lobby::new(1);
        let stream = lobby.enter();
        stream.serve();
        stream.stream();
        // The head of its response was sent.
        stream.wait();
        let (first, _second) = (lobby.enter(), lobby.enter());
        assert!(is_evicted(&first) && !is_evicted(&stream));
    }
}
