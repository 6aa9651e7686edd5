//! `incident_started`. Field comments are the schema's descriptions.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::envelope::wire_time;

/// An incident begins: everything that a dashboard needs to draw its frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentStarted {
    /// Always 1: the first event of its incident.
    #[schemars(range(min = 1))]
    pub index: u64,
    /// Planned second of the incident: always 0.
    #[schemars(range(min = 0))]
    pub offset_s: f64,
    /// `true` in every simulated event, so that a drill is never taken for an incident.
    pub synthetic: bool,
    /// One line that names the incident.
    pub title: String,
    /// From `SEV1` (worst) to `SEV5`.
    pub severity: Severity,
    /// The services that suffer.
    pub services: Vec<String>,
    /// The phases in order; they tile the incident.
    pub phases: Vec<Phase>,
    /// The agents that take part.
    pub agents: Vec<AgentInfo>,
    /// The metrics that `system_metrics` will have, with their units.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricInfo>,
    /// What the countdown runs to, in seconds of incident time.
    #[schemars(range(min = 0))]
    pub target_s: f64,
    /// Wall clock of second 0.
    #[serde(with = "wire_time")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub impact_started_at: Timestamp,
    /// Screen seconds pass this many times faster than the wall clock.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub speed: f64,
    /// Where a simulated incident comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
}

/// How bad an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "SEV1 is the worst, SEV5 the least")]
pub enum Severity {
    #[serde(rename = "SEV1")]
    Sev1,
    #[serde(rename = "SEV2")]
    Sev2,
    #[serde(rename = "SEV3")]
    Sev3,
    #[serde(rename = "SEV4")]
    Sev4,
    #[serde(rename = "SEV5")]
    Sev5,
}

impl Severity {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        ["SEV1", "SEV2", "SEV3", "SEV4", "SEV5"][self as usize]
    }
}

/// One phase of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Phase {
    /// Its name, unique in the incident.
    pub name: String,
    /// First second, incident time.
    #[schemars(range(min = 0))]
    pub start_s: f64,
    /// Second after the last, incident time: the next phase's `start_s`.
    #[schemars(range(min = 0))]
    pub end_s: f64,
    /// How long the phase takes on screen at speed 1, in seconds.
    #[schemars(range(min = 0))]
    pub play_s: f64,
}

/// One agent, human or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentInfo {
    /// Its name in `agent_action.agent`.
    pub id: String,
    /// What it is there for.
    pub role: String,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetricInfo {
    /// Its name in `system_metrics.metrics`.
    pub name: String,
    /// `ratio` (0 to 1), `ms`, `1/s` …
    pub unit: String,
}

/// What is needed to play the same incident again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The scenario's id.
    pub scenario: String,
    /// SHA-256 of the scenario file, the first 16 hexadecimal digits.
    pub digest: String,
    /// The seed that decided noise, jitter and failures. Below 2^53.
    pub seed: u64,
}
