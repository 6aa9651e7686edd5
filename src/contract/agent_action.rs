//! `agent_action`. Field comments are the schema's descriptions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An agent began, finished or concluded something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentAction {
    /// Planned second of the incident; absent in real incidents, which have no plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub offset_s: Option<f64>,
    /// `true` in every simulated event.
    pub synthetic: bool,
    /// The phase it falls into, where the incident has phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Who acts.
    pub agent: String,
    /// What kind of action, `snake_case`.
    pub action: String,
    /// Whether the action has begun, completed or failed.
    pub status: Status,
    /// One line for a person.
    pub summary: String,
    /// The scenario's step; several events share one when it takes time or is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Which attempt at the step, from 1; absent when it is never tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub attempt: Option<u32>,
    /// How sure the agent is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub confidence: Option<f64>,
    /// The competing causes at this moment, if a belief changed since the last event that listed them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hypotheses: Vec<HypothesisBelief>,
    /// A prediction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// What the conclusion rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// The `index` of the event that led to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub caused_by: Option<u64>,
    /// Milestones that are reached with this event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// How long after its planned time it was published, when the server was stopped meanwhile. Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub late_s: Option<f64>,
}

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

/// How much one of several competing causes is believed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HypothesisBelief {
    /// The hypothesis.
    pub id: String,
    /// What it says.
    pub claim: String,
    /// Its probability. All of an event sum to at most 1; the rest is "unknown".
    #[schemars(range(min = 0, max = 1))]
    pub p: f64,
}

/// A prediction with its spread, so that it can be found wrong afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forecast {
    /// What is predicted. `time_to_resolve` counts from the incident's start.
    pub quantity: String,
    /// The unit of the values.
    pub unit: String,
    /// One in ten outcomes is lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p10: Option<f64>,
    /// The middle outcome.
    pub p50: f64,
    /// One in ten outcomes is higher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90: Option<f64>,
}

/// What a conclusion rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// `metric`, `alert`, `log`, `trace`, `deploy` …
    pub kind: String,
    /// Which one: a metric's name, an alert's, a service's log …
    #[serde(rename = "ref")]
    pub reference: String,
    /// What it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What it measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

/// A milestone: `durations` of the resolution are measured to these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "plain words")]
pub enum Mark {
    Detected,
    Diagnosed,
    Mitigated,
}
