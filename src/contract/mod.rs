//! The wire contract: the envelope, the four message types, the control messages and positions.
//!
//! Everything that is sent or stored is defined here once. The JSON Schema is derived from these types
//! ([`schema`]), so documentation, validator and server cannot disagree.

mod agent_action;
mod control;
mod envelope;
mod incident_resolved;
mod incident_started;
mod message;
mod position;
pub mod schema;
mod screen;
mod system_metrics;

pub use agent_action::{AgentAction, Evidence, Forecast, HypothesisBelief, Mark, Status};
pub use control::{Follows, Heartbeat, ResetReason, ServerState, StreamOpened};
pub use envelope::{
    Envelope, EventWriter, MAX_EVENT_BYTES, MAX_INDEX, Of, SPEC_VERSION, Source, now, offset_of,
};
pub use incident_resolved::{Actions, Durations, IncidentResolved, Outcome};
pub use incident_started::{AgentInfo, IncidentStarted, MetricInfo, Phase, Run, Severity};
pub use message::{Message, MessageType};
pub use position::{Position, PositionError, StreamId};
pub use screen::{ScreenMap, ScreenSpan};
pub use system_metrics::{Cost, SystemMetrics};

/// Version of the contract, told in every `stream_opened`. The first number changes when a client that
/// ignores unknown fields could break.
pub const CONTRACT_VERSION: &str = "1.0";

/// The WebSocket subprotocol: one `CloudEvents` event in JSON a text frame.
pub const SUBPROTOCOL: &str = "cloudevents.json";
