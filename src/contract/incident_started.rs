//! The payload of `incident_started`. The docs of the fields become the descriptions in the JSON Schema.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::origin::Origin;
use super::{whole, wire_time};

/// An incident begins. The event has everything that a dashboard needs before the first action arrives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentStarted {
    /// Planned second of the incident: 0. Absent in incidents without a plan: real ones, and drills that are told by alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub offset_s: Option<f64>,
    /// `true` in every simulated event, so that a drill is never mistaken for a real incident.
    pub synthetic: bool,
    /// The incident's title, in one line.
    pub title: String,
    /// From `SEV1` (worst) to `SEV5`.
    pub severity: Severity,
    /// The affected services.
    pub services: Vec<String>,
    /// The phases in order, without gaps between them; empty if the incident has no phases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// The agents that take part, as far as they are known at the start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentInfo>,
    /// The metrics that `system_metrics` will contain, with their units.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricInfo>,
    /// The time within which the incident should be resolved, in seconds of incident time; absent if there is no
    /// target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub target_s: Option<f64>,
    /// Wall clock of second 0.
    #[serde(with = "wire_time")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub impact_started_at: Timestamp,
    /// How many screen seconds pass per second of the wall clock; absent in real incidents, where it is 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub speed: Option<f64>,
    /// The scenario and seed of a simulated incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// The publisher of the event and its name for it; absent if a scenario was played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// When the publisher observed what the event tells, by the publisher's clock; absent if a scenario was played.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wire_time::optional")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub observed_at: Option<Timestamp>,
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
    /// All of them, the worst first.
    pub const ALL: [Self; 5] = [Self::Sev1, Self::Sev2, Self::Sev3, Self::Sev4, Self::Sev5];

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
    /// The phase's name, unique in the incident.
    pub name: String,
    /// Second of the incident at which the phase starts.
    #[schemars(range(min = 0))]
    pub start_s: f64,
    /// Second of the incident at which the phase ends: the next phase's `start_s`. Absent if the end is not planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub end_s: Option<f64>,
    /// How many seconds the phase takes on screen at speed 1; if absent, as long as the phase itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub play_s: Option<f64>,
}

/// An agent: a program or a person that works on the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentInfo {
    /// The agent's name, as `agent_action.agent` has it.
    pub id: String,
    /// The agent's task in the incident.
    pub role: String,
}

/// A metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetricInfo {
    /// The metric's name, as `system_metrics.metrics` has it.
    pub name: String,
    /// The unit of its values: `ratio` (0 to 1), `ms`, `1/s` …
    pub unit: String,
    /// The part of a metric whose values this metric has; absent if it is a metric of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<MetricPart>,
}

/// A part of a metric that is measured by region, by service or the like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetricPart {
    /// The name of the whole metric; no sample has values for it.
    pub of: String,
    /// What the parts are: `region`, `service` …
    pub by: String,
    /// The name of this part.
    pub name: String,
}

/// The scenario and seed that play the same incident again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The scenario's id.
    pub scenario: String,
    /// SHA-256 of the scenario file, the first 16 hexadecimal digits.
    pub digest: String,
    /// The seed of the incident's noise, jitter and failures. Below 2^53.
    #[serde(deserialize_with = "whole::deserialize")]
    #[schemars(range(max = whole::MAX))]
    pub seed: u64,
    /// What was chosen of the scenario: its parameters, and `variant`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}
