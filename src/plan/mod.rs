//! What is played: payloads as JSON text, and when each is due. What a compiled scenario and a recorded incident
//! have in common, and what is stored beside the log for whoever picks an incident up.

mod fields;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::contract::{IncidentStarted, Message, MessageType};
use crate::scenario::timeline::{Planned, Timeline};

use fields::Fields;

/// One incident from its start to its resolution. The payloads are text: what nobody here knows a field for is
/// played all the same, and a plan that an older or newer program stored is played as it was stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The scenario's id: incidents are named after it.
    pub scenario: String,
    /// The seed, 0 where none is known.
    #[serde(default)]
    pub seed: u64,
    events: Vec<Event>,
}

/// One event and when it is due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Screen time at speed 1, in microseconds from the start.
    pub due: u64,
    message: Payload,
}

/// As [`Message`] is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: MessageType,
    data: Box<RawValue>,
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

    /// The payload of an action that was held up, saying by how many seconds.
    pub fn late(&self, seconds: f64) -> Box<RawValue> {
        Fields::of(self.data()).set("late_s", seconds).text()
    }
}

impl Plan {
    /// Nothing yet.
    pub fn new(scenario: String, seed: u64) -> Self {
        Self { scenario, seed, events: Vec::new() }
    }

    /// Adds the next event. Its `index` has to be its place, from 1, and its due time not before the last one's.
    pub fn push(&mut self, due: u64, kind: MessageType, data: Box<RawValue>) {
        self.events.push(Event { due, message: Payload { kind, data } });
    }

    /// The events, in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Screen time from the first event to the last, in microseconds.
    pub fn duration(&self) -> u64 {
        self.events.last().map_or(0, |last| last.due)
    }

    /// How it starts.
    pub fn started(&self) -> Option<IncidentStarted> {
        match self.events.first()?.message() {
            Ok(Message::IncidentStarted(started)) => Some(started),
            _ => None,
        }
    }

    /// Fills in what only the start knows: the speed, and the wall clock of second 0.
    pub fn stamp(&mut self, speed: f64, began: Timestamp) {
        if let Some(first) = self.events.first_mut() {
            let fields = Fields::of(first.data());
            first.message.data =
                fields.set("impact_started_at", format!("{began:.6}")).set("speed", speed).text();
        }
    }

    /// See [`Timeline::cancelled`].
    pub fn cancelled(&self, emitted: usize, screen_us: u64) -> Message {
        let events = self.events.iter().filter_map(|event| {
            // All can be read: whoever made the plan saw to it.
            Some(Planned { due: event.due, message: event.message().ok()? })
        });
        let timeline =
            Timeline { scenario: self.scenario.clone(), seed: self.seed, events: events.collect() };
        timeline.cancelled(emitted, screen_us)
    }

    /// As it is stored.
    pub fn text(&self) -> Result<Arc<str>, serde_json::Error> {
        serde_json::to_string(self).map(Arc::from)
    }

    /// Reads what was stored.
    ///
    /// # Errors
    /// It is no plan, or a payload does not fit its type.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        let plan: Self = serde_json::from_str(text)?;
        for event in &plan.events {
            event.message()?;
        }
        Ok(plan)
    }
}

impl From<&Timeline> for Plan {
    fn from(timeline: &Timeline) -> Self {
        let mut plan = Self::new(timeline.scenario.clone(), timeline.seed);
        for Planned { due, message } in &timeline.events {
            plan.push(*due, message.kind(), message.data());
        }
        plan
    }
}

/// A payload that is played: whatever it was when it was recorded, now it is no incident but a drill.
pub fn drill(data: Box<RawValue>, message: &Message) -> Box<RawValue> {
    if message.is_synthetic() { data } else { Fields::of(&data).set("synthetic", true).text() }
}
