//! The list of message types, and for each its name, its payload and what all payloads have in common.

use jiff::Timestamp;
use schemars::{Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::agent_action::AgentAction;
use super::control::{Heartbeat, StreamOpened};
use super::incident_resolved::IncidentResolved;
use super::incident_started::IncidentStarted;
use super::origin::Origin;
use super::system_metrics::{Cost, SystemMetrics};

/// The part that a message type has in the life of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The first event of an incident.
    Start,
    /// An event between the first and the last.
    Middle,
    /// The last event of an incident.
    End,
    /// A control message: a message of a server about its stream.
    Control,
}

// A message type is added in the table below and nowhere else. The macro derives the enums, the names, reading, writing
// and the schema from it; the compiler then reports every `match` that has to handle the new type.
macro_rules! message_types {
    (
        events { $($event:ident = $event_name:literal as $role:ident,)+ }
        control { $($control:ident = $control_name:literal,)+ }
    ) => {
        /// The `type` of an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the payload of the same name is documented")]
        pub enum MessageType {
            $(#[serde(rename = $event_name)] $event,)+
            $(#[serde(rename = $control_name)] $control,)+
        }

        impl MessageType {
            /// Every type: the events of incidents, then the control messages.
            pub const ALL: &[Self] = &[$(Self::$event,)+ $(Self::$control,)+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$event => $event_name,)+
                    $(Self::$control => $control_name,)+
                }
            }

            /// The type of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($event_name => Some(Self::$event),)+
                    $($control_name => Some(Self::$control),)+
                    _ => None,
                }
            }

            /// The part that the type has in the life of an incident.
            pub const fn role(self) -> Role {
                match self {
                    $(Self::$event => Role::$role,)+
                    $(Self::$control => Role::Control,)+
                }
            }

            /// Whether it is a control message: about the stream, without a position in it.
            pub const fn is_control(self) -> bool {
                matches!(self.role(), Role::Control)
            }

            /// The schema of the payload alone.
            pub(super) fn payload_schema(self) -> Schema {
                match self {
                    $(Self::$event => schemars::schema_for!($event),)+
                    $(Self::$control => schemars::schema_for!($control),)+
                }
            }

            /// A reference to the schema of the payload among the generator's definitions.
            pub(super) fn payload_reference(self, generator: &mut SchemaGenerator) -> Schema {
                match self {
                    $(Self::$event => generator.subschema_for::<$event>(),)+
                    $(Self::$control => generator.subschema_for::<$control>(),)+
                }
            }
        }

        /// A payload of any type. The envelope's `type` says which one.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(missing_docs, reason = "the payload of the same name is documented")]
        pub enum Message {
            $($event($event),)+
            $($control($control),)+
        }

        impl Message {
            /// Reads the `data` of an event of type `kind`.
            pub fn parse(kind: &str, data: &RawValue) -> Result<Self, serde_json::Error> {
                match kind {
                    $($event_name => serde_json::from_str(data.get()).map(Self::$event),)+
                    $($control_name => serde_json::from_str(data.get()).map(Self::$control),)+
                    _ => Err(serde::de::Error::custom(format!("unknown message type {kind:?}"))),
                }
            }

            /// Reads the `data` of an event of type `kind`. The error names the field that does not fit.
            pub fn from_value(kind: MessageType, data: &serde_json::Value) -> Result<Self, serde_json::Error> {
                match kind {
                    $(MessageType::$event => Deserialize::deserialize(data).map(Self::$event),)+
                    $(MessageType::$control => Deserialize::deserialize(data).map(Self::$control),)+
                }
            }

            /// The message type, which the envelope has as `type`.
            pub const fn kind(&self) -> MessageType {
                match self {
                    $(Self::$event(_) => MessageType::$event,)+
                    $(Self::$control(_) => MessageType::$control,)+
                }
            }

            /// The payload as JSON text, without the envelope.
            ///
            /// # Panics
            /// Never: the payload types have string keys and finite numbers.
            pub fn data(&self) -> Box<RawValue> {
                match self {
                    $(Self::$event(data) => serde_json::value::to_raw_value(data),)+
                    $(Self::$control(data) => serde_json::value::to_raw_value(data),)+
                }
                .expect("payloads always serialise")
            }

            /// `data.offset_s`: the planned second of the incident. `None` in real incidents and on control messages.
            pub const fn offset_s(&self) -> Option<f64> {
                match self {
                    $(Self::$event(data) => data.offset_s,)+
                    $(Self::$control(_) => None,)+
                }
            }

            /// `data.observed_at`: when the publisher of a real event observed it.
            pub const fn observed_at(&self) -> Option<Timestamp> {
                match self {
                    $(Self::$event(data) => data.observed_at,)+
                    $(Self::$control(_) => None,)+
                }
            }

            /// `data.origin`: the publisher of a real event, and its name for it.
            pub const fn origin(&self) -> Option<&Origin> {
                match self {
                    $(Self::$event(data) => data.origin.as_ref(),)+
                    $(Self::$control(_) => None,)+
                }
            }

            /// `data.synthetic`: whether the event belongs to a drill. `false` on control messages.
            pub const fn is_synthetic(&self) -> bool {
                match self {
                    $(Self::$event(data) => data.synthetic,)+
                    $(Self::$control(_) => false,)+
                }
            }
        }
    };
}

message_types! {
    events {
        IncidentStarted = "incident_started" as Start,
        AgentAction = "agent_action" as Middle,
        SystemMetrics = "system_metrics" as Middle,
        IncidentResolved = "incident_resolved" as End,
    }
    control {
        StreamOpened = "stream_opened",
        Heartbeat = "heartbeat",
    }
}

impl Message {
    /// The phase that the event names, if it names one.
    pub fn phase(&self) -> Option<&str> {
        match self {
            Self::AgentAction(action) => action.phase.as_deref(),
            Self::SystemMetrics(sample) => sample.phase.as_deref(),
            Self::IncidentStarted(_)
            | Self::IncidentResolved(_)
            | Self::StreamOpened(_)
            | Self::Heartbeat(_) => None,
        }
    }

    /// The cost so far that the event reports, if it reports one.
    pub fn cost(&self) -> Option<&Cost> {
        match self {
            Self::SystemMetrics(sample) => sample.cost.as_ref(),
            Self::IncidentResolved(resolved) => resolved.cost.as_ref(),
            Self::IncidentStarted(_) | Self::AgentAction(_) | Self::StreamOpened(_) | Self::Heartbeat(_) => {
                None
            }
        }
    }
}
