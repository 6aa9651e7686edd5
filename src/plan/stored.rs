//! The plan of one incident, in the form in which it is stored.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::fields::Fields;
use crate::contract::{IncidentStarted, Message, MessageType};

/// One incident from its start to its resolution. The payloads are text: fields that this version does not know are
/// played as they are, and a plan that an older or newer version stored is played as it was stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The scenario's id: incidents are named after it.
    pub scenario: String,
    /// The seed, 0 where none is known.
    #[serde(default)]
    pub seed: u64,
    events: Vec<Event>,
}

/// One event and when it is due. Its place among the plan's events, from 1, is its index in the incident.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Screen time at speed 1, in microseconds from the start.
    pub due: u64,
    message: Payload,
}

/// A payload and its type.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: MessageType,
    data: Box<RawValue>,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        let text = |event: &Self| event.message.data.get().to_owned();
        (self.due, self.kind(), text(self)) == (other.due, other.kind(), text(other))
    }
}

impl Event {
    /// The message's type.
    pub fn kind(&self) -> MessageType {
        self.message.kind
    }

    /// The payload.
    pub fn data(&self) -> &RawValue {
        &self.message.data
    }

    /// The payload as its type says.
    pub fn message(&self) -> Result<Message, serde_json::Error> {
        Message::parse(self.kind().as_str(), self.data())
    }

    /// The payload of an action that is published late, with the delay in seconds.
    pub fn late(&self, seconds: f64) -> Box<RawValue> {
        Fields::of(self.data()).set("late_s", seconds).text()
    }
}

impl Plan {
    /// A plan without events.
    pub fn new(scenario: String, seed: u64) -> Self {
        Self { scenario, seed, events: Vec::new() }
    }

    /// Adds the next event. Its due time must not be before the last one's.
    pub fn push(&mut self, due: u64, kind: MessageType, data: Box<RawValue>) {
        self.events.push(Event { due, message: Payload { kind, data } });
    }

    /// Adds the next event from a message. Its due time must not be before the last one's.
    pub fn push_message(&mut self, due: u64, message: &Message) {
        self.push(due, message.kind(), message.data());
    }

    /// The events, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The events as messages, in order. An event that can't be read is left out.
    pub fn messages(&self) -> impl Iterator<Item = Message> {
        self.events.iter().filter_map(|event| event.message().ok())
    }

    /// Screen time from the first event to the last, in microseconds.
    pub fn duration(&self) -> u64 {
        self.events.last().map_or(0, |last| last.due)
    }

    /// The first event, if it is `incident_started`.
    pub fn started(&self) -> Option<IncidentStarted> {
        match self.events.first()?.message() {
            Ok(Message::IncidentStarted(started)) => Some(started),
            _ => None,
        }
    }

    /// Sets what is known only at the start: the speed, and the wall clock of second 0.
    pub fn stamp(&mut self, speed: f64, began: Timestamp) {
        if let Some(first) = self.events.first_mut() {
            let fields = Fields::of(first.data());
            first.message.data =
                fields.set("impact_started_at", format!("{began:.6}")).set("speed", speed).text();
        }
    }

    /// The text that is stored.
    pub fn text(&self) -> Result<Arc<str>, serde_json::Error> {
        serde_json::to_string(self).map(Arc::from)
    }

    /// Reads a stored plan.
    ///
    /// # Errors
    /// The text is no plan, or a payload does not fit its type.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        let plan: Self = serde_json::from_str(text)?;
        for event in &plan.events {
            event.message()?;
        }
        Ok(plan)
    }
}

/// A payload that is played: it becomes part of a drill, whether or not it was part of one when it was recorded.
pub fn as_drill(data: Box<RawValue>, message: &Message) -> Box<RawValue> {
    if message.is_synthetic() { data } else { Fields::of(&data).set("synthetic", true).text() }
}
