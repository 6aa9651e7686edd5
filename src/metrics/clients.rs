//! Who is connected, what they were sent and how far behind they are.
//!
//! What is counted for every delivery must cost next to nothing: each client has numbers of its own that nobody else
//! writes, so that counting is a load and a store, and nothing is shared between the threads that serve. They are
//! added up when somebody looks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::proto::{MetricFamily, MetricType};

use super::Now;
use super::family::{family, gauge};

/// How a client is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `/ws`
    WebSocket,
    /// `/events`
    EventStream,
}

impl Transport {
    const ALL: [Self; 2] = [Self::WebSocket, Self::EventStream];

    /// The word that it is counted and logged under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "ws",
            Self::EventStream => "sse",
        }
    }
}

/// One client's own numbers. A cache line of their own: neighbours are written by other threads.
#[repr(align(64))]
struct Sent {
    /// Where it began.
    cursor: u64,
    events: AtomicU64,
    bytes: AtomicU64,
}

/// What clients have in common.
#[derive(Default, Clone, Copy)]
struct Sum {
    clients: u64,
    events: u64,
    bytes: u64,
}

impl Sum {
    fn add(&mut self, sent: &Sent) {
        self.clients += 1;
        self.events += sent.events.load(Ordering::Relaxed);
        self.bytes += sent.bytes.load(Ordering::Relaxed);
    }
}

/// Every client there was.
#[derive(Default)]
pub(super) struct Clients(Mutex<[Served; 2]>);

/// The clients of one transport.
#[derive(Default)]
struct Served {
    next: u64,
    here: HashMap<u64, Arc<Sent>>,
    gone: Sum,
}

impl Served {
    /// Those who are here and those who are gone.
    fn sum(&self) -> Sum {
        self.here.values().fold(self.gone, |mut sum, sent| {
            sum.add(sent);
            sum
        })
    }
}

impl Clients {
    pub(super) fn enter(clients: &Arc<Self>, transport: Transport, cursor: u64) -> Client {
        let sent = Arc::new(Sent { cursor, events: AtomicU64::new(0), bytes: AtomicU64::new(0) });
        let mut served = clients.lock();
        let served = &mut served[transport as usize];
        let key = served.next;
        served.next += 1;
        served.here.insert(key, Arc::clone(&sent));
        Client { clients: Arc::clone(clients), transport, key, sent }
    }

    pub(super) fn families(&self, now: &Now) -> Vec<MetricFamily> {
        let served = self.lock();
        let by_transport = |value: fn(&Served) -> u64| {
            Transport::ALL.map(|transport| (transport, value(&served[transport as usize]) as f64))
        };
        let of = |kind, name, help, values: [(Transport, f64); 2]| {
            let labels = values.map(|(transport, _)| [("transport", transport.as_str())]);
            let samples: Vec<_> =
                labels.iter().zip(values).map(|(labels, (_, value))| (&labels[..], value)).collect();
            family(kind, name, help, &samples)
        };
        let cursors = served.iter().flat_map(|served| served.here.values());
        let cursors = cursors.map(|sent| sent.cursor + sent.events.load(Ordering::Relaxed));
        let (mut lag, mut behind) = (0, 0_u32);
        for cursor in cursors {
            lag = lag.max(now.head.saturating_sub(cursor));
            behind += u32::from(cursor + 1 < now.ring_start);
        }
        vec![
            of(
                MetricType::GAUGE,
                "incident_clients",
                "Clients that are connected, by transport.",
                by_transport(|served| served.here.len() as u64),
            ),
            gauge("incident_clients_limit", "The most clients that are let in.", now.max_clients as f64),
            of(
                MetricType::COUNTER,
                "incident_clients_admitted_total",
                "Clients that were let in, by transport.",
                by_transport(|served| served.sum().clients),
            ),
            of(
                MetricType::COUNTER,
                "incident_deliveries_total",
                "Events that were written to clients, by transport: one event to three clients counts three times.",
                by_transport(|served| served.sum().events),
            ),
            of(
                MetricType::COUNTER,
                "incident_delivered_bytes_total",
                "Bytes of the events that were written to clients, framing included, by transport.",
                by_transport(|served| served.sum().bytes),
            ),
            gauge(
                "incident_client_lag_events",
                "Events that the client which is furthest behind was not sent yet.",
                lag as f64,
            ),
            gauge(
                "incident_clients_behind_ring",
                "Clients so far behind that they are served from the journal instead of memory.",
                f64::from(behind),
            ),
        ]
    }

    /// Held for short sections, never across an await. A panic in one leaves the map whole.
    fn lock(&self) -> MutexGuard<'_, [Served; 2]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client that is connected, until it is dropped.
pub struct Client {
    clients: Arc<Clients>,
    transport: Transport,
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
        let mut served = self.clients.lock();
        let served = &mut served[self.transport as usize];
        // Under one lock: whoever adds up sees it here or gone, never both or neither.
        served.here.remove(&self.key);
        served.gone.add(&self.sent);
    }
}
