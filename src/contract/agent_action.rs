//! The payload of `agent_action`. The docs of the fields become the descriptions in the JSON Schema.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::origin::Origin;
use super::{whole, wire_time};

/// An agent began, finished or concluded something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentAction {
    /// Planned second of the incident; absent in incidents without a plan: real ones, and drills that are told by alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub offset_s: Option<f64>,
    /// `true` in every simulated event.
    pub synthetic: bool,
    /// The phase in which the event happened; absent if the incident has no phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The agent that acts; a person is `person:NAME`.
    pub agent: String,
    /// The kind of the action, in `snake_case`.
    pub action: String,
    /// Whether the action has begun, completed or failed.
    pub status: Status,
    /// One line for a person.
    pub summary: String,
    /// The step of the scenario. A step that takes time or is retried has several events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Number of the attempt at the step, from 1; absent if the step is never retried.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole::optional")]
    #[schemars(range(min = 1, max = u32::MAX))]
    pub attempt: Option<u32>,
    /// How sure the agent is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub confidence: Option<f64>,
    /// All competing hypotheses at this moment; absent if no probability has changed since the last event that listed
    /// them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hypotheses: Vec<HypothesisBelief>,
    /// A prediction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// The evidence for the conclusion.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The `index` of the event that led to this one.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole::optional")]
    #[schemars(range(min = 1, max = whole::MAX))]
    pub caused_by: Option<u64>,
    /// The milestones that the incident reaches with this event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// How many seconds late the event was published, if the server could not publish it when it was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub late_s: Option<f64>,
    /// The publisher of the event and its name for it; absent if a scenario was played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// When the publisher observed what the event tells, by the publisher's clock; absent if a scenario was played.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wire_time::optional")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub observed_at: Option<Timestamp>,
}

/// The agent of a person begins so; `dashboard/format.js` has it too.
pub const PERSON: &str = "person:";

/// Whether an action has begun, completed or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "plain words")]
pub enum Status {
    InProgress,
    Completed,
    Failed,
}

impl Status {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

/// One of several competing hypotheses about the cause, with its probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HypothesisBelief {
    /// The id of the hypothesis.
    pub id: String,
    /// The hypothesis in one sentence.
    pub claim: String,
    /// Its probability. The probabilities in one event sum to at most 1; the rest stands for an unknown cause.
    #[schemars(range(min = 0, max = 1))]
    pub p: f64,
}

/// A prediction with its spread, which can be compared with the outcome afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forecast {
    /// What is predicted. `time_to_resolve` counts from the incident's start.
    pub quantity: String,
    /// The unit of the values.
    pub unit: String,
    /// 10th percentile: one in ten outcomes is lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p10: Option<f64>,
    /// Median: half of the outcomes are lower.
    pub p50: f64,
    /// 90th percentile: one in ten outcomes is higher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90: Option<f64>,
}

/// One piece of evidence for a conclusion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The kind of evidence: `metric`, `alert`, `log`, `trace`, `deploy` …
    pub kind: String,
    /// What the evidence refers to: the name of a metric, of an alert, of a service whose log it is …
    #[serde(rename = "ref")]
    pub reference: String,
    /// The text of the evidence, such as a log line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The measured value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

/// A milestone of an incident. The `durations` in `incident_resolved` are the times from the start to each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "plain words, in their order")]
pub enum Mark {
    Detected,
    Diagnosed,
    Mitigated,
}

impl Mark {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Diagnosed => "diagnosed",
            Self::Mitigated => "mitigated",
        }
    }
}
