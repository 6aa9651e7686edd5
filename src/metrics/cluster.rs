//! Metrics of a journal that several servers have open.

use prometheus::proto::{MetricFamily, MetricType};

use super::family::{counter, family, gauge};

/// What a server knows of a journal that several servers have open, at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cluster {
    /// Events that the journal's leader has and this server has not read.
    pub lag: u64,
    /// Incidents that are open, whichever server has begun them.
    pub open: u64,
    /// Those of them that are played.
    pub played: u64,
    /// Whether this server has the lease: it plays the incidents.
    pub leads: bool,
    /// The number of the newest lease that this server knows.
    pub term: u64,
    /// How often this server has found that the stream's history is not what was told.
    pub epochs: u64,
    /// Attempts to append whose answer did not say whether they are stored.
    pub unknown: u64,
    /// Attempts that were repeated without an answer.
    pub unanswered: u64,
    /// Attempts that were made anew, because another server was faster.
    pub overtaken: u64,
    /// Seconds since this server has last seen that something was stored.
    pub confirmed_s: f64,
    /// Copies of the stream that are not up to date.
    pub replicas_behind: u64,
    /// Whether the configuration of the stream has become one that could lose events.
    pub is_unsafe: bool,
}

/// All metrics of a cluster: at zero for a journal that only one server has open.
pub(super) fn families(cluster: Option<Cluster>) -> Vec<MetricFamily> {
    let shared = f64::from(u8::from(cluster.is_some()));
    let cluster = cluster.unwrap_or_default();
    let retries = [
        (&[("reason", "overtaken")][..], cluster.overtaken as f64),
        (&[("reason", "unanswered")][..], cluster.unanswered as f64),
    ];
    vec![
        gauge("incident_cluster_shared", "1 if several servers can have the journal open, else 0.", shared),
        gauge(
            "incident_cluster_lag_events",
            "Events that the stream's leader has and this server has not read yet.",
            cluster.lag as f64,
        ),
        gauge(
            "incident_cluster_lease_held",
            "1 if this server has the lease and plays the incidents of the shared journal, else 0.",
            f64::from(u8::from(cluster.leads)),
        ),
        gauge(
            "incident_cluster_lease_term",
            "Number of the newest lease that this server knows.",
            cluster.term as f64,
        ),
        counter(
            "incident_cluster_epoch_changes_total",
            "How often this server found that the stream was remade, restored or has lost events.",
            cluster.epochs as f64,
        ),
        counter(
            "incident_cluster_unknown_results_total",
            "Attempts to append whose answer did not say whether they are stored: that was read back.",
            cluster.unknown as f64,
        ),
        family(
            MetricType::COUNTER,
            "incident_cluster_retries_total",
            "Attempts to append that were repeated (overtaken: another server appended first, unanswered: nothing was stored in time).",
            &retries,
        ),
        gauge(
            "incident_cluster_confirmed_age_seconds",
            "Seconds since this server last saw that the stream stores something; a lease is stored every second.",
            cluster.confirmed_s,
        ),
        gauge(
            "incident_cluster_replicas_behind",
            "Copies of the stream on nats-servers that are not up to date.",
            cluster.replicas_behind as f64,
        ),
        gauge(
            "incident_cluster_unsafe_configuration",
            "1 if the configuration of the stream was changed to one that could lose events: /readyz names it.",
            f64::from(u8::from(cluster.is_unsafe)),
        ),
    ]
}
