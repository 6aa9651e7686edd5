//! Who is connected, what they were sent and how far behind they are.
//!
//! What is counted for every delivery must cost next to nothing: whoever serves has numbers that nobody else writes, so
//! that counting is an addition, and nothing is shared between the threads that serve. They are added up when somebody
//! looks.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::Now;

/// How a client is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `/ws`
    WebSocket,
    /// `/events`
    EventStream,
}

impl Transport {
    /// The word that it is counted and logged under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "ws",
            Self::EventStream => "sse",
        }
    }
}

/// One client's own numbers.
struct Sent {
    /// Where it began.
    cursor: u64,
    events: AtomicU64,
    bytes: AtomicU64,
}

/// What the clients of one transport come to.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// How many are connected.
    pub clients: u64,
    /// How many were let in since the start.
    pub admitted: u64,
    /// Events that were written to them since then …
    pub events: u64,
    /// … and their bytes, framing included.
    pub bytes: u64,
    /// Events that the one which is furthest behind was not sent yet.
    pub lag: u64,
    /// How many are so far behind that they are served from the journal.
    pub behind: u64,
}

impl Tally {
    /// A client was sent everything up to `cursor`; memory has the events from `start` to `head`.
    pub fn stands_at(&mut self, cursor: u64, head: u64, start: u64) {
        self.lag = self.lag.max(head.saturating_sub(cursor));
        self.behind += u64::from(cursor + 1 < start);
    }

    /// Other clients besides.
    pub fn add(&mut self, other: Self) {
        self.clients += other.clients;
        self.admitted += other.admitted;
        self.events += other.events;
        self.bytes += other.bytes;
        self.lag = self.lag.max(other.lag);
        self.behind += other.behind;
    }

    fn sent(&mut self, sent: &Sent) {
        self.events += sent.events.load(Ordering::Relaxed);
        self.bytes += sent.bytes.load(Ordering::Relaxed);
    }
}

/// Every client of the event stream there was. Those of the other transport are counted by the threads that serve them.
#[derive(Default)]
pub(super) struct Clients(
    /// Locked for short sections, never across an await.
    Mutex<Served>,
);

#[derive(Default)]
struct Served {
    next: u64,
    here: HashMap<u64, Arc<Sent>>,
    gone: Tally,
}

impl Clients {
    pub(super) fn enter(clients: &Arc<Self>, cursor: u64) -> Client {
        let sent = Arc::new(Sent { cursor, events: AtomicU64::new(0), bytes: AtomicU64::new(0) });
        let mut served = clients.0.lock();
        let key = served.next;
        served.next += 1;
        served.here.insert(key, Arc::clone(&sent));
        Client { clients: Arc::clone(clients), key, sent }
    }

    pub(super) fn tally(&self, now: &Now) -> Tally {
        let served = self.0.lock();
        let mut tally = Tally { clients: served.here.len() as u64, admitted: served.next, ..served.gone };
        for sent in served.here.values() {
            tally.sent(sent);
            let cursor = sent.cursor + sent.events.load(Ordering::Relaxed);
            tally.stands_at(cursor, now.head, now.ring_start);
        }
        tally
    }
}

/// A client that is connected, until it is dropped.
pub struct Client {
    clients: Arc<Clients>,
    key: u64,
    sent: Arc<Sent>,
}

impl Client {
    /// Further events were written, so many bytes in all. Moves the cursor that its lag is reckoned from.
    pub fn delivered(&mut self, events: u64, bytes: u64) {
        // Nobody else writes them (`&mut`): no locked instruction is needed.
        let add = |number: &AtomicU64, more| {
            number.store(number.load(Ordering::Relaxed) + more, Ordering::Relaxed);
        };
        add(&self.sent.events, events);
        add(&self.sent.bytes, bytes);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut served = self.clients.0.lock();
        // Under one lock: whoever adds up sees it here or gone, never both or neither.
        served.here.remove(&self.key);
        served.gone.sent(&self.sent);
    }
}
