//! Every payload by its type: what an event's `data` may be.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{AgentAction, Heartbeat, IncidentResolved, IncidentStarted, StreamOpened, SystemMetrics};

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

    /// `data.synthetic`: whether it is one of a drill. Control messages are about neither.
    pub fn is_synthetic(&self) -> bool {
        match self {
            Self::IncidentStarted(data) => data.synthetic,
            Self::AgentAction(data) => data.synthetic,
            Self::SystemMetrics(data) => data.synthetic,
            Self::IncidentResolved(data) => data.synthetic,
            Self::StreamOpened(_) | Self::Heartbeat(_) => false,
        }
    }
}
