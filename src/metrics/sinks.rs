//! What sinks count.

use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

/// The counters of all sinks.
pub struct SinkCounts {
    posts: IntCounterVec,
    alerts: IntCounterVec,
    untold: IntCounterVec,
    firing: IntGaugeVec,
}

/// How a post can go.
const RESULTS: [&str; 3] = ["accepted", "failed", "refused"];

impl SinkCounts {
    /// Registers the counters. Their names are constants, valid and distinct.
    pub(super) fn new(registry: &Registry) -> Self {
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels).expect("it is well formed");
            registry.register(Box::new(counters.clone())).expect("no other metric has its name");
            counters
        };
        let firing =
            Opts::new("incident_sink_firing_alerts", "Alerts of drills that fire now, for each sink.");
        let firing = IntGaugeVec::new(firing, &["sink"]).expect("it is well formed");
        registry.register(Box::new(firing.clone())).expect("no other metric has its name");
        Self {
            posts: counters(
                "incident_sink_posts_total",
                "Posts to sinks, by result: accepted, failed (tried again soon), refused (tried again later).",
                &["sink", "result"],
            ),
            alerts: counters(
                "incident_sink_alerts_total",
                "Alerts that sinks took, repeats included.",
                &["sink"],
            ),
            untold: counters(
                "incident_sink_untold_alerts_total",
                "Alerts that were over before a sink took them, or were too many.",
                &["sink"],
            ),
            firing,
        }
    }

    /// Shows the counters of a sink at zero.
    pub fn announce(&self, sink: &str) {
        for result in RESULTS {
            self.posts.with_label_values(&[sink, result]);
        }
        self.alerts.with_label_values(&[sink]);
        self.untold.with_label_values(&[sink]);
        self.firing.with_label_values(&[sink]);
    }

    /// A sink took so many alerts.
    pub fn accepted(&self, sink: &str, alerts: usize) {
        self.posts.with_label_values(&[sink, "accepted"]).inc();
        self.alerts.with_label_values(&[sink]).inc_by(alerts as u64);
    }

    /// A sink could not be reached, or did not take a post for now.
    pub fn failed(&self, sink: &str) {
        self.posts.with_label_values(&[sink, "failed"]).inc();
    }

    /// A sink refused a post.
    pub fn refused(&self, sink: &str) {
        self.posts.with_label_values(&[sink, "refused"]).inc();
    }

    /// Alerts were not told.
    pub fn untold(&self, sink: &str, alerts: usize) {
        self.untold.with_label_values(&[sink]).inc_by(alerts as u64);
    }

    /// So many alerts fire.
    pub fn firing(&self, sink: &str, alerts: usize) {
        self.firing.with_label_values(&[sink]).set(i64::try_from(alerts).unwrap_or(i64::MAX));
    }
}
