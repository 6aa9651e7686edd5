//! What a server tells of itself in numbers, as Prometheus reads them.
//!
//! A leaf: it knows numbers and the words of their labels, and nothing of what is counted, so whoever has something
//! to count may hold one, wherever it stands on the path. One a server and no global state: two servers in one
//! process have their own numbers.

mod clients;
mod family;
mod now;
mod process;

use std::sync::Arc;
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry, TextEncoder};

use clients::Clients;
pub use clients::{Client, Tally, Transport};
pub use now::Now;

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How long an append may take: a disk that is well, one that is busy, one that hangs.
const APPEND_BUCKETS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How late an event may be: a timer's millisecond, a busy machine, a server that was away.
const LATENESS_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0];

/// Why a request was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// As many clients as the server takes are here.
    Full,
    /// As many incidents as the server plays are open.
    Incidents,
    /// Its `Host` is not this server.
    Host,
    /// Its page is from elsewhere.
    Origin,
    /// It wants to go on after what is no position.
    Position,
    /// It is no WebSocket handshake.
    Handshake,
    /// Too many connections a second came from its address.
    Rate,
    /// The server stops.
    Stopping,
    /// It shows no token or session, or one that is not known.
    Token,
    /// What it shows is good for reading only.
    Scope,
    /// Too many wrong tokens came from its address.
    Attempts,
}

impl Refusal {
    const ALL: [Self; 11] = [
        Self::Full,
        Self::Incidents,
        Self::Host,
        Self::Origin,
        Self::Position,
        Self::Handshake,
        Self::Rate,
        Self::Stopping,
        Self::Token,
        Self::Scope,
        Self::Attempts,
    ];

    /// The word that it is counted and logged under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incidents => "incidents",
            Self::Host => "host",
            Self::Origin => "origin",
            Self::Position => "position",
            Self::Handshake => "handshake",
            Self::Rate => "rate",
            Self::Stopping => "stopping",
            Self::Token => "token",
            Self::Scope => "scope",
            Self::Attempts => "attempts",
        }
    }
}

/// The numbers of one server.
pub struct Metrics {
    registry: Registry,
    clients: Arc<Clients>,
    closes: IntCounterVec,
    refusals: IntCounterVec,
    append: Histogram,
    append_failures: IntCounter,
    events: IntCounter,
    started: IntCounter,
    ended: IntCounterVec,
    lateness: Histogram,
    since: f64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Everything at zero.
    ///
    /// # Panics
    /// Never: the names are valid and differ.
    pub fn new() -> Self {
        let registry = Registry::new();
        let registered = Registered(&registry);
        let closes = registered.counters(
            "incident_closes_total",
            "Clients that are gone, by transport and close code (1000: left by itself, 1006: connection lost).",
            &["transport", "code"],
        );
        for (transport, codes) in [
            (Transport::WebSocket, &[1000, 1002, 1006, 1007, 1008, 1009, 1011, 1012, 4008, 4009][..]),
            (Transport::EventStream, &[1000, 1006, 1011, 1012, 4008]),
        ] {
            for code in codes {
                closes.with_label_values(&[transport.as_str(), &code.to_string()]);
            }
        }
        let refusals = registered.counters(
            "incident_refusals_total",
            "Requests that were turned away, by reason.",
            &["reason"],
        );
        for refusal in Refusal::ALL {
            refusals.with_label_values(&[refusal.as_str()]);
        }
        let ended = registered.counters(
            "incident_incidents_ended_total",
            "Incidents that ended, by outcome.",
            &["outcome"],
        );
        for outcome in ["resolved", "cancelled"] {
            ended.with_label_values(&[outcome]);
        }
        let append = registered.histogram(
            "incident_journal_append_seconds",
            "From handing events to the journal until they are durable.",
            APPEND_BUCKETS,
        );
        let append_failures = registered
            .counter("incident_journal_append_failures_total", "Appends that the journal did not take.");
        let events =
            registered.counter("incident_journal_events_total", "Events that were appended to the journal.");
        let started =
            registered.counter("incident_incidents_started_total", "Incidents that this server started.");
        let lateness = registered.histogram(
            "incident_event_lateness_seconds",
            "From the moment an event was due until the journal had it.",
            LATENESS_BUCKETS,
        );
        Self {
            clients: Arc::default(),
            closes,
            refusals,
            append,
            append_failures,
            events,
            started,
            ended,
            lateness,
            since: process::now(),
            registry,
        }
    }

    /// Counts a client of the event stream in that was sent everything up to `cursor`, until what is returned is dropped.
    pub fn client(&self, cursor: u64) -> Client {
        Clients::enter(&self.clients, cursor)
    }

    /// A client is gone.
    pub fn closed(&self, transport: Transport, code: u16) {
        self.closes.with_label_values(&[transport.as_str(), &code.to_string()]).inc();
    }

    /// A request was turned away.
    pub fn refused(&self, refusal: Refusal) {
        self.refusals.with_label_values(&[refusal.as_str()]).inc();
    }

    /// The journal took `events` new events.
    pub fn appended(&self, events: u64, took: Duration) {
        self.append.observe(took.as_secs_f64());
        self.events.inc_by(events);
    }

    /// The journal took nothing.
    pub fn append_failed(&self) {
        self.append_failures.inc();
    }

    /// An incident began.
    pub fn incident_started(&self) {
        self.started.inc();
    }

    /// An incident ended: `resolved` or `cancelled`.
    pub fn incident_ended(&self, outcome: &str) {
        self.ended.with_label_values(&[outcome]).inc();
    }

    /// An event was in the journal so long after it was due.
    pub fn late(&self, by: Duration) {
        self.lateness.observe(by.as_secs_f64());
    }

    /// Everything in Prometheus' text format, version 0.0.4.
    pub fn text(&self, now: &Now) -> Result<String, prometheus::Error> {
        let mut families = self.registry.gather();
        families.extend(now.clients(self.clients.tally(now)));
        families.extend(now.families());
        families.extend(process::families(self.since));
        families.sort_by(|one, other| one.name().cmp(other.name()));
        TextEncoder::new().encode_to_string(&families)
    }
}

/// A registry that takes what is made for it. What is made here is valid and has a name of its own.
struct Registered<'a>(&'a Registry);

impl Registered<'_> {
    fn keep<C: Collector + Clone + 'static>(&self, made: prometheus::Result<C>) -> C {
        let collector = made.expect("the metric is well formed");
        self.0.register(Box::new(collector.clone())).expect("the metric has a name of its own");
        collector
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.keep(IntCounter::new(name, help))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.keep(IntCounterVec::new(Opts::new(name, help), labels))
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        self.keep(Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec())))
    }
}
