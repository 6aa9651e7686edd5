//! Metrics that are not counted: the state of the server at the moment of the request.

use prometheus::proto::{MetricFamily, MetricType};

use super::cluster::{self, Cluster};
use super::family::{counter, family, gauge};
use super::tally::Tally;
use super::transport::{ByTransport, Transport};

/// The state of a server at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot {
    /// Position of the newest event.
    pub head: u64,
    /// Position of the oldest event that is kept.
    pub oldest: u64,
    /// Position of the oldest event that is served from memory.
    pub ring_start: u64,
    /// Whether the journal accepts events and can be read.
    pub healthy: bool,
    /// Commits since the journal was opened.
    pub commits: u64,
    /// How far the time of the newest event is ahead of the machine's clock, in seconds.
    pub clock_ahead_s: f64,
    /// How often the machine's clock was set forward, and how often back.
    pub clock_steps: [u64; 2],
    /// Bytes of the journal's write-ahead log.
    pub wal_bytes: u64,
    /// Incidents that are open.
    pub open: u64,
    /// What is known of a journal that several servers have open; `None` of any other.
    pub cluster: Option<Cluster>,
    /// The limit of clients.
    pub max_clients: u64,
    /// The threads that serve clients.
    pub client_threads: u64,
    /// The numbers of the clients.
    pub clients: ByTransport<Tally>,
}

impl Snapshot {
    pub(super) fn families(&self) -> Vec<MetricFamily> {
        let version = &[("version", env!("CARGO_PKG_VERSION"))][..];
        let about = "The running version; always 1.";
        let [forward, back] = self.clock_steps.map(|steps| steps as f64);
        let mut families = vec![
            family(MetricType::GAUGE, "incident_build_info", about, &[(version, 1.0)]),
            gauge("incident_journal_head_position", "Position of the newest event.", self.head as f64),
            gauge(
                "incident_journal_oldest_position",
                "Position of the oldest event that is kept.",
                self.oldest as f64,
            ),
            gauge(
                "incident_journal_healthy",
                "1 while the journal accepts events and can be read, else 0.",
                f64::from(u8::from(self.healthy)),
            ),
            counter(
                "incident_journal_commits_total",
                "Commits since the journal was opened; appends that wait at the same time share one.",
                self.commits as f64,
            ),
            gauge(
                "incident_clock_ahead_seconds",
                "How far the time of the newest event is ahead of the machine's clock.",
                self.clock_ahead_s,
            ),
            family(
                MetricType::COUNTER,
                "incident_clock_steps_total",
                "Steps of the machine's clock by more than 10 s, by direction; forward also after a suspension.",
                &[(&[("direction", "back")], back), (&[("direction", "forward")], forward)],
            ),
            gauge(
                "incident_journal_wal_bytes",
                "Bytes of the journal's write-ahead log; grows while another program reads the journal in one transaction.",
                self.wal_bytes as f64,
            ),
            gauge("incident_incidents_open", "Incidents that are open.", self.open as f64),
        ];
        families.extend(cluster::families(self.cluster));
        families
    }

    /// The metrics of the clients of both transports.
    pub(super) fn clients(&self) -> Vec<MetricFamily> {
        let ByTransport { websocket, event_stream } = self.clients;
        let both = [(Transport::WebSocket, websocket), (Transport::EventStream, event_stream)];
        let of = |kind, name, help, value: fn(&Tally) -> u64| {
            let labels = both.map(|(transport, _)| [("transport", transport.as_str())]);
            let values = both.iter().map(|(_, tally)| value(tally) as f64);
            let samples: Vec<_> = labels.iter().map(|label| &label[..]).zip(values).collect();
            family(kind, name, help, &samples)
        };
        let mut all = websocket;
        all.add(event_stream);
        vec![
            of(MetricType::GAUGE, "incident_clients", "Connected clients, by transport.", |tally| {
                tally.clients
            }),
            gauge("incident_clients_limit", "The limit of clients (--max-clients).", self.max_clients as f64),
            gauge(
                "incident_client_threads",
                "The threads that serve clients (--threads).",
                self.client_threads as f64,
            ),
            of(
                MetricType::COUNTER,
                "incident_clients_admitted_total",
                "Clients that were admitted, by transport.",
                |tally| tally.admitted,
            ),
            of(
                MetricType::COUNTER,
                "incident_deliveries_total",
                "Events written to clients, by transport: one event to three clients counts three times.",
                |tally| tally.events,
            ),
            of(
                MetricType::COUNTER,
                "incident_delivered_bytes_total",
                "Bytes of the events written to clients, framing included, by transport.",
                |tally| tally.bytes,
            ),
            gauge(
                "incident_client_lag_events",
                "Events that the slowest client has not been sent yet.",
                all.lag as f64,
            ),
            gauge(
                "incident_clients_behind_ring",
                "Clients so far behind that they are served from the journal instead of memory.",
                all.behind as f64,
            ),
        ]
    }
}
