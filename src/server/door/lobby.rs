//! Connections that are no stream: they wait for a request, or one of theirs is served. Their number is bounded: a new one
//! takes the place of the one that has been silent longest or, if none is silent, of the one that has been served
//! longest, of the network that has the most of them. So thousands of silent or slow sockets keep no client out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::server::rate;

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
    waiting: Places,
    served: Places,
}

/// The connections of one phase, by their networks.
#[derive(Default)]
struct Places {
    count: usize,
    by_network: HashMap<IpAddr, BTreeMap<u64, Arc<Notify>>>,
}

impl Places {
    fn has(&self, network: IpAddr, number: u64) -> bool {
        self.by_network.get(&network).is_some_and(|own| own.contains_key(&number))
    }

    fn insert(&mut self, network: IpAddr, number: u64, evicted: Arc<Notify>) {
        self.by_network.entry(network).or_default().insert(number, evicted);
        self.count += 1;
    }

    fn remove(&mut self, network: IpAddr, number: u64) -> Option<Arc<Notify>> {
        let own = self.by_network.get_mut(&network)?;
        let evicted = own.remove(&number)?;
        if own.is_empty() {
            self.by_network.remove(&network);
        }
        self.count -= 1;
        Some(evicted)
    }

    /// How many a network has.
    fn of(&self, network: IpAddr) -> usize {
        self.by_network.get(&network).map_or(0, BTreeMap::len)
    }

    fn oldest(&self, network: IpAddr) -> Option<u64> {
        self.by_network.get(&network)?.first_key_value().map(|(number, _)| *number)
    }

    fn networks(&self) -> impl Iterator<Item = IpAddr> {
        self.by_network.keys().copied()
    }
}

impl Slots {
    fn has(&self, network: IpAddr, phase: Phase) -> bool {
        match phase {
            Phase::Waiting(number) => self.waiting.has(network, number),
            Phase::Serving(number) => self.served.has(network, number),
            Phase::Streaming => true,
        }
    }

    fn leave(&mut self, network: IpAddr, phase: Phase) {
        match phase {
            Phase::Waiting(number) => drop(self.waiting.remove(network, number)),
            Phase::Serving(number) => drop(self.served.remove(network, number)),
            Phase::Streaming => {}
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Evicts a connection: the oldest that waits of the network that has the most waiting.
    fn make_room_to_wait(&mut self) {
        let oldest = |network: &IpAddr| Reverse(self.waiting.oldest(*network));
        let networks = self.waiting.networks();
        let most = networks.max_by_key(|network| (self.waiting.of(*network), oldest(network)));
        if let Some(network) = most
            && let Some(number) = self.waiting.oldest(network)
        {
            evict(self.waiting.remove(network, number));
        }
    }

    /// Evicts a connection of the network that has the most: the oldest that waits or, if none does, the oldest that is served. The one
    /// that has just come stays.
    fn make_room(&mut self) {
        let newest = self.next;
        let all = |network: &IpAddr| self.waiting.of(*network) + self.served.of(*network);
        let oldest = |network: &IpAddr| {
            let oldest = [self.waiting.oldest(*network), self.served.oldest(*network)];
            Reverse(oldest.into_iter().flatten().min())
        };
        let networks = self.waiting.networks().chain(self.served.networks());
        let Some(network) = networks.max_by_key(|network| (all(network), oldest(network))) else { return };
        match self.waiting.oldest(network).filter(|number| *number != newest) {
            Some(number) => evict(self.waiting.remove(network, number)),
            None => {
                if let Some(number) = self.served.oldest(network) {
                    evict(self.served.remove(network, number));
                }
            }
        }
    }
}

fn evict(evicted: Option<Arc<Notify>>) {
    if let Some(evicted) = evicted {
        evicted.notify_one();
    }
}

/// A connection's slot, given back when dropped.
pub(in crate::server) struct WaitingSlot {
    lobby: Arc<Lobby>,
    network: IpAddr,
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

    /// Takes a slot for a new connection from an address, which waits for its first request.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Arc<WaitingSlot> {
        let (lobby, network) = (Arc::clone(self), rate::network(address));
        let phase = Mutex::new(Phase::Serving(self.slots.lock().number()));
        let slot = WaitingSlot { lobby, network, evicted: Arc::default(), phase };
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
            slots.served.insert(self.network, number, evicted);
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
            slots.waiting.insert(self.network, number, evicted);
            if slots.waiting.count > most {
                slots.make_room_to_wait();
            } else if slots.waiting.count + slots.served.count > all {
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
        slots.leave(self.network, *phase);
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
        !self.lobby.slots.lock().has(self.network, *phase)
    }
}

impl Drop for WaitingSlot {
    fn drop(&mut self) {
        let phase = *self.phase.get_mut();
        self.lobby.slots.lock().leave(self.network, phase);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn is_evicted(slot: &WaitingSlot) -> bool {
        slot.evicted().now_or_never().is_some()
    }

    #[test]
    fn the_connection_that_has_been_silent_longest_is_evicted() {
        let lobby = Lobby::new(2, 9);
        let slots: Vec<_> = (0..3).map(|_| lobby.enter(ONE)).collect();
        assert_eq!(slots.iter().map(|slot| is_evicted(slot)).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn a_network_that_has_many_evicts_its_own() {
        let lobby = Lobby::new(3, 9);
        let other = IpAddr::from([192, 0, 2, 1]);
        let patient = lobby.enter(other);
        let flood: Vec<_> = (0..50).map(|_| lobby.enter(ONE)).collect();
        assert!(!is_evicted(&patient));
        assert_eq!(flood.iter().filter(|slot| is_evicted(slot)).count(), 48);
        drop((patient, flood));
        assert_eq!(lobby.slots.lock().waiting.by_network.len(), 0);
    }

    #[test]
    fn a_network_that_has_many_served_does_not_evict_who_waits() {
        let lobby = Lobby::new(20, 20);
        let patient = lobby.enter(IpAddr::from([192, 0, 2, 1]));
        let flood: Vec<_> = (0..100)
            .map(|_| {
                let slot = lobby.enter(ONE);
                slot.serve();
                slot
            })
            .collect();
        assert!(!is_evicted(&patient));
        assert!(flood.iter().filter(|slot| is_evicted(slot)).count() >= 60);
    }

    #[test]
    fn a_connection_that_is_served_is_not_evicted() {
        let lobby = Lobby::new(1, 9);
        let served = lobby.enter(ONE);
        served.serve();
        let (first, _second) = (lobby.enter(ONE), lobby.enter(ONE));
        assert!(is_evicted(&first) && !is_evicted(&served));
        served.wait();
        let _third = lobby.enter(ONE);
        assert!(is_evicted(&served));
    }

    #[test]
    fn a_request_that_comes_during_the_eviction_is_served() {
        let lobby = Lobby::new(1, 9);
        let called = lobby.enter(ONE);
        let _other = lobby.enter(ONE);
        called.serve();
        assert!(!is_evicted(&called));
        // The eviction from its old slot does not count against its new one.
        let again = lobby.enter(ONE);
        let _other = lobby.enter(ONE);
        again.serve();
        again.wait();
        assert!(!is_evicted(&again));
    }

    #[test]
    fn a_stream_never_waits() {
        let lobby = Lobby::new(1, 9);
        let stream = lobby.enter(ONE);
        stream.serve();
        stream.stream();
        // The head of its response was sent.
        stream.wait();
        let (first, _second) = (lobby.enter(ONE), lobby.enter(ONE));
        assert!(is_evicted(&first) && !is_evicted(&stream));
    }

    #[test]
    fn if_none_waits_the_connection_that_has_been_served_longest_is_evicted() {
        let lobby = Lobby::new(2, 1);
        let serve = |_| {
            let slot = lobby.enter(ONE);
            slot.serve();
            slot
        };
        let served: Vec<_> = (0..3).map(serve).collect();
        let _new = lobby.enter(ONE);
        assert_eq!(served.iter().map(|slot| is_evicted(slot)).collect::<Vec<_>>(), [true, false, false]);
        let stream = lobby.enter(ONE);
        stream.serve();
        stream.stream();
        drop((served, stream));
        assert_eq!(lobby.slots.lock().served.count, 0);
    }
}
