//! Alerts: what the monitoring of the services would say during the incident.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::scenario::condition::Condition;
use crate::scenario::duration::{Micros, Moment};

/// An alert that fires while a metric is beyond a limit, or at a time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertFile {
    /// The label `alertname`.
    pub name: Spanned<String>,
    /// The condition under which it fires, like `token_p95 > 1000`: give this …
    pub when: Option<Spanned<Condition>>,
    /// How long the condition has to hold before it fires.
    #[serde(rename = "for")]
    pub hold: Option<Spanned<Micros>>,
    /// … or when it fires, in incident time, which may be before second 0.
    pub at: Option<Spanned<Moment>>,
    /// Until when it fires; until the end of the incident by default.
    pub until: Option<Spanned<Moment>>,
    /// The label `service`.
    pub service: Spanned<String>,
    /// The label `severity`.
    #[serde(default = "warning")]
    pub severity: Spanned<String>,
    /// Whether it has nothing to do with the incident. Nothing that leaves the server says so.
    #[serde(default)]
    pub decoy: bool,
    /// One line for people: the annotation `summary`.
    pub summary: Option<Spanned<String>>,
    /// More labels.
    #[serde(default)]
    pub labels: BTreeMap<Spanned<String>, Spanned<String>>,
}

fn warning() -> Spanned<String> {
    Spanned::new(0..0, "warning".to_owned())
}
