//! `incident_started`. Field comments are the schema's descriptions.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::envelope::wire_time;

/// An incident begins: what a dashboard needs before the first action arrives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentStarted {
    /// Planned second of the incident: 0. Absent in real incidents, which have no plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub offset_s: Option<f64>,
    /// `true` in every simulated event, so that a drill is never taken for an incident.
    pub synthetic: bool,
    /// One line that names the incident.
    pub title: String,
    /// From `SEV1` (worst) to `SEV5`.
    pub severity: Severity,
    /// The affected services.
    pub services: Vec<String>,
    /// The phases in order, without gaps between them; none where the incident has no phases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// The agents that take part, as far as they are known at the start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentInfo>,
    /// The metrics that `system_metrics` will have, with their units.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricInfo>,
    /// What the countdown runs to, in seconds of incident time; absent where there is no target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub target_s: Option<f64>,
    /// Wall clock of second 0.
    #[serde(with = "wire_time")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub impact_started_at: Timestamp,
    /// Screen seconds pass this many times faster than the wall clock; absent in real incidents, which run at 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub speed: Option<f64>,
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
        match self {
            Self::Sev1 => "SEV1",
            Self::Sev2 => "SEV2",
            Self::Sev3 => "SEV3",
            Self::Sev4 => "SEV4",
            Self::Sev5 => "SEV5",
        }
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
    /// Second after the last, incident time: the next phase's `start_s`. Absent where the end is not planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub end_s: Option<f64>,
    /// How long the phase takes on screen at speed 1, in seconds; as long as the phase itself where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub play_s: Option<f64>,
}

/// One agent, human or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentInfo {
    /// Its name in `agent_action.agent`.
    pub id: String,
    /// Its task in the incident.
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

/// Which scenario, and with which seed, plays the same incident again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The scenario's id.
    pub scenario: String,
    /// SHA-256 of the scenario file, the first 16 hexadecimal digits.
    pub digest: String,
    /// The seed that decided noise, jitter and failures. Below 2^53.
    pub seed: u64,
}
