//! The counters and histograms of one server, and everything together as Prometheus' text.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, Opts, Registry, TextEncoder};

use super::hooks::HookCounts;
use super::process;
use super::refusal::Refusal;
use super::sinks::SinkCounts;
use super::snapshot::Snapshot;
use super::transport::Transport;

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Seconds of an append: from a fast disk to one that hangs.
const APPEND_BUCKETS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What becomes of published events.
const PUBLISH_RESULTS: [&str; 4] = ["accepted", "duplicate", "refused", "later"];

/// Seconds of lateness: from the precision of a timer to a server that was down.
const LATENESS_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0];

/// The metrics of one server.
pub struct Metrics {
    registry: Registry,
    closes: IntCounterVec,
    refusals: IntCounterVec,
    append: Histogram,
    append_failures: IntCounter,
    events: IntCounter,
    started: IntCounter,
    ended: IntCounterVec,
    lateness: Histogram,
    hooks: HookCounts,
    sinks: SinkCounts,
    published: IntCounterVec,
    publish: Histogram,
    since: f64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All metrics, at zero.
    ///
    /// # Panics
    /// Never: the names are valid and differ.
    pub fn new() -> Self {
        let registry = Registry::new();
        let registered = Registered(&registry);
        let closes = registered.counters(
            "incident_closes_total",
            "Connections that ended, by transport and close code (1000: closed by the client, 1006: connection lost).",
            &["transport", "code"],
        );
        for (transport, codes) in [
            (Transport::WebSocket, &[1000, 1002, 1006, 1007, 1008, 1009, 1011, 1012, 1013, 4008, 4009][..]),
            (Transport::EventStream, &[1000, 1006, 1008, 1011, 1012, 1013, 4008]),
        ] {
            for code in codes {
                closes.with_label_values(&[transport.as_str(), &code.to_string()]);
            }
        }
        let refusals = registered.counters(
            "incident_refusals_total",
            "Requests that were refused, by reason.",
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
            "Seconds from handing events to the journal until they are durable.",
            APPEND_BUCKETS,
        );
        let append_failures =
            registered.counter("incident_journal_append_failures_total", "Appends that failed.");
        let events = registered.counter("incident_journal_events_total", "Events appended to the journal.");
        let started =
            registered.counter("incident_incidents_started_total", "Incidents started by this server.");
        let lateness = registered.histogram(
            "incident_event_lateness_seconds",
            "Seconds from the moment an event was due until it was in the journal.",
            LATENESS_BUCKETS,
        );
        let published = registered.counters(
            "incident_publish_events_total",
            "Events that were published, by result (refused: for good, later: because the server could not store them).",
            &["result"],
        );
        for result in PUBLISH_RESULTS {
            published.with_label_values(&[result]);
        }
        let publish = registered.histogram(
            "incident_publish_seconds",
            "Seconds from a request to publish that was read until its events were durable.",
            APPEND_BUCKETS,
        );
        Self {
            closes,
            refusals,
            append,
            append_failures,
            events,
            started,
            ended,
            lateness,
            hooks: HookCounts::new(&registry),
            sinks: SinkCounts::new(&registry),
            published,
            publish,
            since: process::now(),
            registry,
        }
    }

    /// The connection of a client ended.
    pub fn closed(&self, transport: Transport, code: u16) {
        self.closes.with_label_values(&[transport.as_str(), &code.to_string()]).inc();
    }

    /// A request was refused.
    pub fn refused(&self, refusal: Refusal) {
        self.refusals.with_label_values(&[refusal.as_str()]).inc();
    }

    /// `events` new events were appended to the journal, which took `took`.
    pub fn appended(&self, events: u64, took: Duration) {
        self.append.observe(took.as_secs_f64());
        self.events.inc_by(events);
    }

    /// An append failed.
    pub fn append_failed(&self) {
        self.append_failures.inc();
    }

    /// An incident started.
    pub fn incident_started(&self) {
        self.started.inc();
    }

    /// An incident ended; `outcome` is `resolved` or `cancelled`.
    pub fn incident_ended(&self, outcome: &str) {
        self.ended.with_label_values(&[outcome]).inc();
    }

    /// An event was in the journal this long after it was due.
    pub fn late(&self, by: Duration) {
        self.lateness.observe(by.as_secs_f64());
    }

    /// The counters of receivers.
    pub fn hooks(&self) -> &HookCounts {
        &self.hooks
    }

    /// The counters of sinks.
    pub fn sinks(&self) -> &SinkCounts {
        &self.sinks
    }

    /// Published events were stored, of which `duplicates` had been stored before; it took `took`.
    pub fn published(&self, accepted: u64, duplicates: u64, took: Duration) {
        self.published.with_label_values(&["accepted"]).inc_by(accepted);
        self.published.with_label_values(&["duplicate"]).inc_by(duplicates);
        self.publish.observe(took.as_secs_f64());
    }

    /// Events that were to be published were not stored; `later` if they may be stored later.
    pub fn not_published(&self, events: u64, later: bool) {
        let result = if later { "later" } else { "refused" };
        self.published.with_label_values(&[result]).inc_by(events);
    }

    /// All metrics in Prometheus' text format, version 0.0.4.
    ///
    /// # Errors
    /// A metric that the encoder does not accept; a test encodes all of them.
    pub fn text(&self, now: &Snapshot) -> Result<String, prometheus::Error> {
        let mut families = self.registry.gather();
        families.extend(now.clients());
        families.extend(now.families());
        families.extend(process::families(self.since));
        families.push(process::dropped_lines());
        families.sort_by(|one, other| one.name().cmp(other.name()));
        TextEncoder::new().encode_to_string(&families)
    }
}

/// Creates metrics and registers them. Their names are constants of this file, valid and distinct.
struct Registered<'a>(&'a Registry);

impl Registered<'_> {
    fn register<C: Collector + Clone + 'static>(&self, created: prometheus::Result<C>) -> C {
        let collector = created.expect("the metric is well formed");
        self.0.register(Box::new(collector.clone())).expect("no other metric has its name");
        collector
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.register(IntCounter::new(name, help))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.register(IntCounterVec::new(Opts::new(name, help), labels))
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        self.register(Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec())))
    }
}
