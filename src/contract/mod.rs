//! The wire contract: the envelope, the payloads of all message types, and positions.
//!
//! Every message that is sent or stored is defined here, once. The JSON Schema is derived from these types
//! ([`schema`]), so that documentation, validator and server cannot disagree.
//!
//! Invariants:
//! - a position is a number from 1, below 2^53, without gaps in its stream;
//! - (`subject`, `index`) names one event for ever, and `index` has no gaps in its incident;
//! - the text of an event is a pure function of (stream, position, record): every client gets the same bytes;
//! - a reader ignores attributes and fields that it does not know.
//!
//! ```
//! use incident::contract::{Envelope, Message};
//!
//! let frame = r#"{"specversion":"1.0","id":"17","source":"/streams/01K9ZC3V7Q4M2XKD","type":"agent_action",
//!     "subject":"database-outage-x7k2p","time":"2026-11-22T10:00:40.112345Z","index":23,"data":{"synthetic":true,
//!     "agent":"diagnosis","action":"hypothesis_updated","status":"completed","summary":"Pool exhausted"}}"#;
//! let envelope: Envelope = serde_json::from_str(frame)?;
//! assert_eq!(envelope.position().unwrap().to_string(), "01K9ZC3V7Q4M2XKD/17");
//! assert_eq!((envelope.incident(), envelope.index), ("database-outage-x7k2p", Some(23)));
//! match envelope.message()? {
//!     Message::AgentAction(action) => assert_eq!(action.summary, "Pool exhausted"),
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), serde_json::Error>(())
//! ```

mod agent_action;
pub mod asyncapi;
mod bounds;
mod control;
mod doubtful_names;
mod envelope;
mod incident_resolved;
mod incident_started;
mod limits;
mod message;
mod one_line;
mod origin;
mod position;
mod rfc3339;
pub mod schema;
mod screen;
mod strange_line;
mod system_metrics;
mod version;
mod whole;
mod wire_time;

pub use agent_action::{AgentAction, Evidence, Forecast, HypothesisBelief, Mark, PERSON, Status};
pub use control::{Follows, Heartbeat, ResetReason, ServerState, StreamOpened};
pub use doubtful_names::{Doubt, doubtful_names};
pub use envelope::{
    CLOCKS_BEGIN_US, Envelope, EventWriter, IncidentEvent, MAX_EVENT_BYTES, MAX_INDEX, SPEC_VERSION, Source,
    can_be_now, happened_at, now, offset_of,
};
pub use incident_resolved::{Actions, Durations, IncidentResolved, Outcome};
pub use incident_started::{AgentInfo, IncidentStarted, MetricInfo, MetricPart, Phase, Run, Severity};
pub use limits::{MAX_SUBJECT_BYTES, check_size, is_addressable};
pub use message::{Message, MessageType, Role};
pub use one_line::{SEVERAL_LINES, is_one_line};
pub use origin::Origin;
pub use position::{Position, PositionError, StreamId};
pub use rfc3339::parse_time;
pub use screen::{ScreenMap, ScreenSpan};
pub use strange_line::strange_line;
pub use system_metrics::{Cost, SystemMetrics};
pub use version::{CONTRACT_VERSION, SUBPROTOCOL};
pub(crate) use wire_time::deserialize as deserialize_time;
pub(crate) use wire_time::optional::deserialize as deserialize_optional_time;
