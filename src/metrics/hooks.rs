//! What receivers count.

use prometheus::{IntCounterVec, Opts, Registry};

/// The counters of all receivers.
pub struct HookCounts {
    deliveries: IntCounterVec,
    events: IntCounterVec,
    repeats: IntCounterVec,
    ignored: IntCounterVec,
}

/// What becomes of a request.
const RESULTS: [&str; 4] = ["accepted", "refused", "invalid", "failed"];

impl HookCounts {
    /// Registers the counters. Their names are constants, valid and distinct.
    pub(super) fn new(registry: &Registry) -> Self {
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels).expect("it is well formed");
            registry.register(Box::new(counters.clone())).expect("no other metric has its name");
            counters
        };
        Self {
            deliveries: counters(
                "incident_hook_deliveries_total",
                "Requests to receivers, by result: accepted, refused (secret), invalid (body), failed (journal).",
                &["receiver", "result"],
            ),
            events: counters("incident_hook_events_total", "Events that receivers wrote.", &["receiver"]),
            repeats: counters(
                "incident_hook_repeats_total",
                "Alerts that were known already as they were.",
                &["receiver"],
            ),
            ignored: counters(
                "incident_hook_ignored_total",
                "Alerts that were ignored: dropped, drill, unknown_resolved, ended, too_many.",
                &["receiver", "why"],
            ),
        }
    }

    /// Shows the counters of a receiver at zero.
    pub fn announce(&self, receiver: &str, reasons: &[&str]) {
        for result in RESULTS {
            self.deliveries.with_label_values(&[receiver, result]);
        }
        self.events.with_label_values(&[receiver]);
        self.repeats.with_label_values(&[receiver]);
        for why in reasons {
            self.ignored.with_label_values(&[receiver, *why]);
        }
    }

    /// A request was answered.
    pub fn delivery(&self, receiver: &str, result: &str) {
        self.deliveries.with_label_values(&[receiver, result]).inc();
    }

    /// Events were written.
    pub fn events(&self, receiver: &str, count: u64) {
        self.events.with_label_values(&[receiver]).inc_by(count);
    }

    /// Alerts were known already.
    pub fn repeats(&self, receiver: &str, count: u64) {
        self.repeats.with_label_values(&[receiver]).inc_by(count);
    }

    /// Alerts were ignored.
    pub fn ignored(&self, receiver: &str, why: &str, count: u64) {
        self.ignored.with_label_values(&[receiver, why]).inc_by(count);
    }
}
