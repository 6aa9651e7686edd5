//! An event that is sound by itself, with all that follows from it alone. Requests are judged side by side, but one task stores
//! their events: what is done here holds up nobody else.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::incoming::Incoming;
use crate::contract::{Message, MessageType};

/// An event that [`super::Checker`] found no fault with.
#[derive(Debug)]
pub struct Sound {
    pub(super) event: Incoming,
    pub(super) ready: Option<Ready>,
    digest: [u8; 32],
}

/// The payload of a type whose payloads depend little on their incident.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) message: Message,
    /// As it is stored, unless the incident is a drill or the event is old.
    pub(super) payload: Box<RawValue>,
}

impl Sound {
    /// `data` is the event's data with the fields that the server sets, and `message` was read from it.
    pub(super) fn new(mut event: Incoming, digest: [u8; 32], data: Value, message: Message) -> Self {
        let mut ready = None;
        if let (MessageType::AgentAction | MessageType::SystemMetrics, Value::Object(mut data)) =
            (event.kind, data)
        {
            data.insert("origin".to_owned(), json!({ "source": event.source, "id": event.id }));
            data.insert("observed_at".to_owned(), format!("{:.6}", event.time).into());
            ready = to_raw_value(&data).ok().map(|payload| Ready { message, payload });
            event.data = data;
        }
        Self { event, ready, digest }
    }

    /// The event. Its data may have fields that the server sets.
    pub fn event(&self) -> &Incoming {
        &self.event
    }

    /// [`Incoming::digest`] of the event as it was sent.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// About the bytes that it takes.
    pub fn bytes(&self) -> usize {
        let data: usize = self.event.data.iter().map(|(name, value)| name.len() + 32 + bytes_of(value)).sum();
        // The message takes about as much as the data.
        512 + 2 * data + self.ready.as_ref().map_or(0, |ready| ready.payload.get().len())
    }
}

fn bytes_of(value: &Value) -> usize {
    32 + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(bytes_of).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + 32 + bytes_of(value)).sum(),
        _ => 0,
    }
}
