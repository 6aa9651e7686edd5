//! The clients of the event stream: what each was sent, and how far behind it is.
//!
//! Counting a delivery must cost next to nothing. So every client has counters of its own that only its task writes:
//! counting is an addition without a lock, and threads share no cache line. The counters are added up when metrics are
//! asked for. (WebSocket clients are counted by the threads that serve them.)

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::snapshot::Snapshot;
use super::tally::Tally;

/// The counters of one client.
struct Sent {
    /// The position after which it began.
    cursor: u64,
    events: AtomicU64,
    bytes: AtomicU64,
}

impl Sent {
    fn add_to(&self, tally: &mut Tally) {
        tally.events += self.events.load(Ordering::Relaxed);
        tally.bytes += self.bytes.load(Ordering::Relaxed);
    }
}

/// All clients of the event stream since the start.
#[derive(Default)]
pub(super) struct Clients(
    /// Locked for short sections, never across an await.
    Mutex<Counted>,
);

#[derive(Default)]
struct Counted {
    next: u64,
    connected: HashMap<u64, Arc<Sent>>,
    gone: Tally,
}

impl Clients {
    pub(super) fn enter(clients: &Arc<Self>, cursor: u64) -> ClientMeter {
        let sent = Arc::new(Sent { cursor, events: AtomicU64::new(0), bytes: AtomicU64::new(0) });
        let mut counted = clients.0.lock();
        let key = counted.next;
        counted.next += 1;
        counted.connected.insert(key, Arc::clone(&sent));
        ClientMeter { clients: Arc::clone(clients), key, sent }
    }

    pub(super) fn tally(&self, now: &Snapshot) -> Tally {
        let counted = self.0.lock();
        let mut tally =
            Tally { clients: counted.connected.len() as u64, admitted: counted.next, ..counted.gone };
        for sent in counted.connected.values() {
            sent.add_to(&mut tally);
            let cursor = sent.cursor + sent.events.load(Ordering::Relaxed);
            tally.count_lag(cursor, now.head, now.ring_start);
        }
        tally
    }
}

/// Counts one connected client; the client is gone when this is dropped.
pub struct ClientMeter {
    clients: Arc<Clients>,
    key: u64,
    sent: Arc<Sent>,
}

impl ClientMeter {
    /// `events` more events were written to the client, `bytes` bytes in all. The client's lag becomes smaller by them.
    pub fn delivered(&mut self, events: u64, bytes: u64) {
        // `&mut` makes this the only writer: no atomic read-modify-write is needed.
        let add = |number: &AtomicU64, more| {
            number.store(number.load(Ordering::Relaxed) + more, Ordering::Relaxed);
        };
        add(&self.sent.events, events);
        add(&self.sent.bytes, bytes);
    }
}

impl Drop for ClientMeter {
    fn drop(&mut self) {
        // Under one lock, so that a client is never counted as both connected and gone, nor as neither.
        let mut counted = self.clients.0.lock();
        counted.connected.remove(&self.key);
        self.sent.add_to(&mut counted.gone);
    }
}
