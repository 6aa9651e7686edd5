//! The wire contract: the envelope, the four message types, the control messages and positions.
//!
//! Everything that is sent or stored is defined here once. The JSON Schema is derived from these types
//! ([`schema`]), so documentation, validator and server cannot disagree.

mod control;
mod envelope;
mod message;
mod position;
pub mod schema;

pub use control::{Follows, Heartbeat, ResetReason, ServerState, StreamOpened};
pub use envelope::{Envelope, Frame, MAX_EVENT_BYTES, SPEC_VERSION, Source, now};
pub use message::{
    Actions, AgentAction, AgentInfo, Cost, Durations, Evidence, Forecast, HypothesisBelief, IncidentResolved,
    IncidentStarted, Mark, Message, MessageType, MetricInfo, Outcome, Phase, Run, Severity, Status,
    SystemMetrics,
};
pub use position::{Position, PositionError, StreamId};

/// Version of the contract, told in every `stream_opened`. The first number changes when a client that
/// ignores unknown fields could break.
pub const CONTRACT_VERSION: &str = "1.0";

/// The WebSocket subprotocol: one `CloudEvents` event in JSON a text frame.
pub const SUBPROTOCOL: &str = "cloudevents.json";
