//! What is not counted but asked for when somebody looks.

use prometheus::proto::{MetricFamily, MetricType};

use super::family::{counter, family, gauge};

/// How a server stands at this moment.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Position of the newest event.
    pub head: u64,
    /// Position of the oldest event that is kept.
    pub oldest: u64,
    /// Position of the oldest event that is served from memory.
    pub ring_start: u64,
    /// Whether events are taken and can be read.
    pub healthy: bool,
    /// Commits since the journal was opened.
    pub commits: u64,
    /// Incidents that are played.
    pub open: u64,
    /// The most clients that are let in.
    pub max_clients: u64,
}

impl Now {
    pub(super) fn families(&self) -> Vec<MetricFamily> {
        let version = &[("version", env!("CARGO_PKG_VERSION"))][..];
        let about = "The version that runs; always 1.";
        vec![
            family(MetricType::GAUGE, "incident_build_info", about, &[(version, 1.0)]),
            gauge("incident_journal_head_position", "Position of the newest event.", self.head as f64),
            gauge(
                "incident_journal_oldest_position",
                "Position of the oldest event that is kept.",
                self.oldest as f64,
            ),
            gauge(
                "incident_journal_healthy",
                "1 while the journal takes events and can be read, else 0.",
                f64::from(u8::from(self.healthy)),
            ),
            counter(
                "incident_journal_commits_total",
                "Commits since the journal was opened: appends that wait at the same time share one.",
                self.commits as f64,
            ),
            gauge("incident_incidents_open", "Incidents that are played now.", self.open as f64),
        ]
    }
}
