//! The four message types of an incident: `incident_started`, `agent_action`, `system_metrics`,
//! `incident_resolved`. Field comments are the schema's descriptions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::envelope::wire_time;
use super::{Heartbeat, StreamOpened};

/// The `type` of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "named as on the wire")]
pub enum MessageType {
    IncidentStarted,
    AgentAction,
    SystemMetrics,
    IncidentResolved,
    StreamOpened,
    Heartbeat,
}

impl MessageType {
    /// Every type, messages before control messages.
    pub const ALL: [Self; 6] = [
        Self::IncidentStarted,
        Self::AgentAction,
        Self::SystemMetrics,
        Self::IncidentResolved,
        Self::StreamOpened,
        Self::Heartbeat,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IncidentStarted => "incident_started",
            Self::AgentAction => "agent_action",
            Self::SystemMetrics => "system_metrics",
            Self::IncidentResolved => "incident_resolved",
            Self::StreamOpened => "stream_opened",
            Self::Heartbeat => "heartbeat",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Control messages speak about the stream and are not numbered in it.
    pub fn is_control(self) -> bool {
        matches!(self, Self::StreamOpened | Self::Heartbeat)
    }
}

/// The payload of any event, told apart by the envelope's `type`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant's type is documented")]
pub enum Message {
    IncidentStarted(IncidentStarted),
    AgentAction(AgentAction),
    SystemMetrics(SystemMetrics),
    IncidentResolved(IncidentResolved),
    StreamOpened(StreamOpened),
    Heartbeat(Heartbeat),
}

impl Message {
    /// Reads the `data` of an event of type `kind`.
    pub fn parse(kind: &str, data: &RawValue) -> Result<Self, serde_json::Error> {
        let data = data.get();
        match MessageType::from_name(kind) {
            Some(MessageType::IncidentStarted) => serde_json::from_str(data).map(Self::IncidentStarted),
            Some(MessageType::AgentAction) => serde_json::from_str(data).map(Self::AgentAction),
            Some(MessageType::SystemMetrics) => serde_json::from_str(data).map(Self::SystemMetrics),
            Some(MessageType::IncidentResolved) => serde_json::from_str(data).map(Self::IncidentResolved),
            Some(MessageType::StreamOpened) => serde_json::from_str(data).map(Self::StreamOpened),
            Some(MessageType::Heartbeat) => serde_json::from_str(data).map(Self::Heartbeat),
            None => Err(serde::de::Error::custom(format!("unknown message type {kind:?}"))),
        }
    }

    /// The envelope's `type` for this payload.
    pub fn kind(&self) -> MessageType {
        match self {
            Self::IncidentStarted(_) => MessageType::IncidentStarted,
            Self::AgentAction(_) => MessageType::AgentAction,
            Self::SystemMetrics(_) => MessageType::SystemMetrics,
            Self::IncidentResolved(_) => MessageType::IncidentResolved,
            Self::StreamOpened(_) => MessageType::StreamOpened,
            Self::Heartbeat(_) => MessageType::Heartbeat,
        }
    }

    /// The payload as JSON text, without the envelope.
    ///
    /// # Panics
    /// Never: the payload types have string keys and finite numbers.
    pub fn data(&self) -> Box<RawValue> {
        match self {
            Self::IncidentStarted(data) => serde_json::value::to_raw_value(data),
            Self::AgentAction(data) => serde_json::value::to_raw_value(data),
            Self::SystemMetrics(data) => serde_json::value::to_raw_value(data),
            Self::IncidentResolved(data) => serde_json::value::to_raw_value(data),
            Self::StreamOpened(data) => serde_json::value::to_raw_value(data),
            Self::Heartbeat(data) => serde_json::value::to_raw_value(data),
        }
        .expect("payloads always serialise")
    }

    /// `data.index`: the event's place in its incident, from 1. `None` on control messages.
    pub fn index(&self) -> Option<u64> {
        match self {
            Self::IncidentStarted(data) => Some(data.index),
            Self::AgentAction(data) => Some(data.index),
            Self::SystemMetrics(data) => Some(data.index),
            Self::IncidentResolved(data) => Some(data.index),
            Self::StreamOpened(_) | Self::Heartbeat(_) => None,
        }
    }

    /// `data.offset_s`: the planned second of the incident. `None` on control messages.
    pub fn offset_s(&self) -> Option<f64> {
        match self {
            Self::IncidentStarted(data) => Some(data.offset_s),
            Self::AgentAction(data) => Some(data.offset_s),
            Self::SystemMetrics(data) => Some(data.offset_s),
            Self::IncidentResolved(data) => Some(data.offset_s),
            Self::StreamOpened(_) | Self::Heartbeat(_) => None,
        }
    }
}

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

/// An agent began, finished or concluded something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgentAction {
    /// The event's place in its incident, from 1, gapless.
    #[schemars(range(min = 1))]
    pub index: u64,
    /// Planned second of the incident.
    #[schemars(range(min = 0))]
    pub offset_s: f64,
    /// `true` in every simulated event.
    pub synthetic: bool,
    /// The phase it falls into.
    pub phase: String,
    /// Who acts.
    pub agent: String,
    /// What kind of action, `snake_case`.
    pub action: String,
    /// How far it is.
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
    /// The competing causes at this moment, when beliefs changed since the last event that told them.
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

/// How far an action is.
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
        ["in_progress", "completed", "failed"][self as usize]
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

/// What the systems show: metrics, users affected and cost at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SystemMetrics {
    /// The event's place in its incident, from 1, gapless.
    #[schemars(range(min = 1))]
    pub index: u64,
    /// Planned second of the incident.
    #[schemars(range(min = 0))]
    pub offset_s: f64,
    /// `true` in every simulated event.
    pub synthetic: bool,
    /// The phase it falls into.
    pub phase: String,
    /// Name to value.
    pub metrics: BTreeMap<String, f64>,
    /// Users who suffer now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_affected: Option<u64>,
    /// What the incident has cost so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// Money lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// ISO 4217 code.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
    /// Since the start, rounded to cents; never falls.
    #[schemars(range(min = 0))]
    pub total: f64,
    /// The rate now, a minute of incident time.
    #[schemars(range(min = 0))]
    pub per_minute: f64,
}

/// An incident ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentResolved {
    /// The event's place in its incident: the last.
    #[schemars(range(min = 1))]
    pub index: u64,
    /// Planned second of the incident.
    #[schemars(range(min = 0))]
    pub offset_s: f64,
    /// `true` in every simulated event.
    pub synthetic: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// One line for a person.
    pub summary: String,
    /// The id of the hypothesis that proved true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<String>,
    /// How long it took.
    pub durations: Durations,
    /// What it cost in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// The most users who suffered at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_peak: Option<u64>,
    /// Finished attempts.
    pub actions: Actions,
    /// What is left to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followups: Vec<String>,
}

/// How an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "plain words")]
pub enum Outcome {
    Resolved,
    Cancelled,
}

/// From the incident's start to each milestone that was reached, in seconds of incident time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the unit is part of a name on the wire")]
pub struct Durations {
    /// To `detected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub detect_s: Option<f64>,
    /// To `diagnosed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub diagnose_s: Option<f64>,
    /// To `mitigated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub mitigate_s: Option<f64>,
    /// To the end.
    #[schemars(range(min = 0))]
    pub resolve_s: f64,
}

/// Finished attempts: actions that completed or failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actions {
    /// All of them.
    pub total: u32,
    /// Those that failed.
    pub failed: u32,
}
