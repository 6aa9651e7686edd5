//! What this process counts of a stream that others have open, too.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;

use super::super::lease::Term;
use super::fold::Fold;
use crate::metrics::Cluster;

/// One of the two streams.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    Events,
    Control,
}

/// The counters and gauges of one open journal.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// Position of the newest event that the leader has named.
    leader_head: AtomicU64,
    replicas_behind: AtomicU64,
    leads: AtomicBool,
    epochs: AtomicU64,
    unknown: AtomicU64,
    unanswered: AtomicU64,
    overtaken: AtomicU64,
    /// What is unsafe about the configuration of the stream of events, and of the second one.
    warnings: Mutex<[Option<String>; 2]>,
}

impl Figures {
    /// Everything at this moment, with the newest term that is known and the time since something was seen stored.
    pub(super) fn cluster(&self, fold: &Fold, term: Term, confirmed: Duration) -> Cluster {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let played = fold.open().filter(|(_, incident)| incident.plan.is_some()).count();
        Cluster {
            lag: read(&self.leader_head).saturating_sub(fold.head),
            open: fold.open().count() as u64,
            played: played as u64,
            leads: self.leads.load(Ordering::Relaxed),
            term: term.0,
            epochs: read(&self.epochs),
            unknown: read(&self.unknown),
            unanswered: read(&self.unanswered),
            overtaken: read(&self.overtaken),
            confirmed_s: confirmed.as_secs_f64(),
            replicas_behind: read(&self.replicas_behind),
            is_unsafe: self.warning().is_some(),
        }
    }

    /// The leader has described the stream of events.
    pub(super) fn described(&self, info: &Value) {
        let last = info["state"]["last_seq"].as_u64().unwrap_or_default();
        self.leader_head.store(last, Ordering::Relaxed);
        let replicas = info["cluster"]["replicas"].as_array().map_or(&[][..], Vec::as_slice);
        let behind = replicas.iter().filter(|replica| replica["current"] != true).count();
        self.replicas_behind.store(behind as u64, Ordering::Relaxed);
    }

    /// What has become unsafe about one of the two streams; `None` if nothing has.
    pub(super) fn warn(&self, stream: Stream, warning: Option<String>) {
        let mut warnings = self.warnings.lock();
        let known = &mut warnings[stream as usize];
        if *known == warning {
            return;
        }
        match &warning {
            Some(why) => tracing::error!(why, "the stream was changed, and is not safe any more"),
            None => tracing::info!("the stream's configuration is safe again"),
        }
        *known = warning;
    }

    /// What is unsafe about the streams.
    pub(super) fn warning(&self) -> Option<String> {
        let warnings: Vec<_> = self.warnings.lock().iter().flatten().cloned().collect();
        (!warnings.is_empty()).then(|| warnings.join("; "))
    }

    /// Whether this process has the lease.
    pub(super) fn leads(&self, leads: bool) {
        self.leads.store(leads, Ordering::Relaxed);
    }

    /// The stream's history is not what was told.
    pub(super) fn other_epoch(&self) {
        self.epochs.fetch_add(1, Ordering::Relaxed);
    }

    /// An answer did not say whether an attempt is stored.
    pub(super) fn not_known(&self) {
        self.unknown.fetch_add(1, Ordering::Relaxed);
    }

    /// An attempt is repeated.
    pub(super) fn again(&self) {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
    }

    /// Another process was faster.
    pub(super) fn overtaken(&self) {
        self.overtaken.fetch_add(1, Ordering::Relaxed);
    }
}
