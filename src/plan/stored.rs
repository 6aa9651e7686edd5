//! The plan of one incident. It has one form, in which it is played and stored.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::fields::Fields;
use super::symptoms::Symptoms;
use crate::contract::{Actions, AgentAction, Durations, IncidentStarted, Message, MessageType};

/// One incident from its start to its resolution. The payloads are kept as text, so that fields which this version does
/// not know are played unchanged, also in a plan that another version of the program has stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The scenario's id. The names of incidents begin with it.
    pub scenario: String,
    /// The seed; 0 if it is not known.
    #[serde(default)]
    pub seed: u64,
    /// What monitoring says meanwhile.
    #[serde(default, skip_serializing_if = "Symptoms::is_empty")]
    pub symptoms: Symptoms,
    events: Vec<PlannedEvent>,
}

/// An event of a plan and when it is due. Its number among the plan's events, from 1, is its index in the incident.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlannedEvent {
    /// When the event is due: screen time at speed 1, in microseconds from the start.
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

impl PartialEq for PlannedEvent {
    fn eq(&self, other: &Self) -> bool {
        let text = |event: &Self| event.message.data.get().to_owned();
        (self.due, self.kind(), text(self)) == (other.due, other.kind(), text(other))
    }
}

impl PlannedEvent {
    /// The message's type.
    pub fn kind(&self) -> MessageType {
        self.message.kind
    }

    /// The payload.
    pub fn data(&self) -> &RawValue {
        &self.message.data
    }

    /// The payload, read as the event's type.
    pub fn message(&self) -> Result<Message, serde_json::Error> {
        Message::parse(self.kind().as_str(), self.data())
    }

    /// The event in an incident that has further events beside its plan: `index_of` gives the index of a planned event by
    /// its number, and `more` are the finished actions that the plan does not count.
    #[must_use]
    pub fn beside(&self, index_of: impl Fn(u64) -> u64, more: Actions) -> Self {
        let fields = || Fields::parse(self.data());
        let data = match self.message() {
            Ok(Message::AgentAction(AgentAction { caused_by: Some(cause), .. })) => {
                fields().set("caused_by", index_of(cause)).text()
            }
            Ok(Message::IncidentResolved(resolved)) => {
                let (total, failed) = (resolved.actions.total, resolved.actions.failed);
                let actions = Actions {
                    total: total.saturating_add(more.total),
                    failed: failed.saturating_add(more.failed),
                };
                fields().set("actions", actions).text()
            }
            _ => return self.clone(),
        };
        Self { due: self.due, message: Payload { kind: self.kind(), data } }
    }

    /// The payload of an action that is published `seconds` late: with `late_s` set.
    pub fn late(&self, seconds: f64) -> Box<RawValue> {
        Fields::parse(self.data()).set("late_s", seconds).text()
    }
}

impl Plan {
    /// A plan without events.
    pub fn new(scenario: String, seed: u64) -> Self {
        Self { scenario, seed, symptoms: Symptoms::default(), events: Vec::new() }
    }

    /// Adds the next event. It must not be due before the previous one.
    pub fn push(&mut self, due: u64, kind: MessageType, data: Box<RawValue>) {
        self.events.push(PlannedEvent { due, message: Payload { kind, data } });
    }

    /// Adds a message as the next event. It must not be due before the previous one.
    pub fn push_message(&mut self, due: u64, message: &Message) {
        self.push(due, message.kind(), message.data());
    }

    /// Replaces when the events are due. `dues` must not fall, and have one entry for each event.
    pub fn set_dues(&mut self, dues: &[u64]) {
        for (event, due) in self.events.iter_mut().zip(dues) {
            event.due = *due;
        }
    }

    /// Replaces when an event is due and what it says. It must not be due before the previous one.
    pub fn replace(&mut self, place: usize, due: u64, data: Box<RawValue>) {
        if let Some(event) = self.events.get_mut(place) {
            (event.due, event.message.data) = (due, data);
        }
    }

    /// The events, in order.
    pub fn events(&self) -> &[PlannedEvent] {
        &self.events
    }

    /// Bytes of all payloads, and of the symptoms.
    pub fn bytes(&self) -> usize {
        let events = self.events.iter().map(|event| event.data().get().len() + size_of::<PlannedEvent>());
        events.sum::<usize>() + self.symptoms.bytes()
    }

    /// The events as messages, in order. An event that cannot be read is left out.
    pub fn messages(&self) -> impl Iterator<Item = Message> {
        self.events.iter().filter_map(|event| event.message().ok())
    }

    /// When the event with this index is due, in microseconds of screen time; the end of the plan if it has no such event.
    pub fn due(&self, index: u64) -> u64 {
        let place = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
        place.and_then(|place| self.events.get(place)).map_or_else(|| self.duration(), |event| event.due)
    }

    /// Screen time from second 0 to the last event, in microseconds.
    pub fn duration(&self) -> u64 {
        self.events.last().map_or(0, |last| last.due)
    }

    /// Screen time from second 0 to the first event, in microseconds: not zero only for a recorded real incident, whose
    /// impact may have begun before its first event.
    pub fn lead(&self) -> u64 {
        self.events.first().map_or(0, |first| first.due)
    }

    /// The first event, if it is `incident_started`.
    pub fn started(&self) -> Option<IncidentStarted> {
        match self.events.first()?.message() {
            Ok(Message::IncidentStarted(started)) => Some(started),
            _ => None,
        }
    }

    /// Sets what is known only at the start: the fields of the first event with the speed and the wall clock of second 0,
    /// and the name of the run.
    pub fn stamp(&mut self, speed: f64, began: Timestamp) {
        self.symptoms.begin();
        if let Some(first) = self.events.first_mut() {
            let fields = Fields::parse(first.data());
            first.message.data =
                fields.set("impact_started_at", format!("{began:.6}")).set("speed", speed).text();
        }
    }

    /// The plan as JSON text, for the journal.
    pub fn text(&self) -> Result<Arc<str>, serde_json::Error> {
        serde_json::to_string(self).map(Arc::from)
    }

    /// Reads the beginning of a plan from the JSON text that [`Plan::text`] wrote: everything but the events behind the first
    /// one.
    ///
    /// # Errors
    /// The text is not a plan.
    pub fn read_beginning(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Beginning<'a> {
            scenario: String,
            #[serde(default)]
            seed: u64,
            #[serde(default)]
            symptoms: Symptoms,
            #[serde(borrow)]
            events: Vec<&'a RawValue>,
        }
        let Beginning { scenario, seed, symptoms, events } = serde_json::from_str(text)?;
        let first = events.first().map(|first| serde_json::from_str(first.get())).transpose()?;
        Ok(Self { scenario, seed, symptoms, events: first.into_iter().collect() })
    }

    /// Reads a plan from the JSON text that [`Plan::text`] wrote.
    ///
    /// # Errors
    /// The text is not a plan, or a payload does not match its type.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        let plan: Self = serde_json::from_str(text)?;
        for event in &plan.events {
            event.message()?;
        }
        Ok(plan)
    }
}

/// The payload of a recorded event as a part of a drill, even if the recorded incident was real: with `synthetic`, and
/// with the second at which it happened, because the wall clock of a replay says nothing about that.
pub fn as_drill(data: Box<RawValue>, message: &Message, offset_s: f64) -> Box<RawValue> {
    if is_of_drill(message) {
        return data;
    }
    // What is played has no publisher.
    let fields = Fields::parse(&data).without("origin").without("observed_at").set("synthetic", true);
    if message.offset_s().is_some() { fields.text() } else { fields.set("offset_s", offset_s).text() }
}

/// The payload of a drill's event with another second.
pub fn with_second(data: &RawValue, offset_s: f64) -> Box<RawValue> {
    Fields::parse(data).set("offset_s", offset_s).text()
}

/// Whether a message was played, so that its seconds are those of a drill already.
pub fn is_of_drill(message: &Message) -> bool {
    message.is_synthetic() && message.offset_s().is_some() && message.origin().is_none()
}

/// The payload of a resolution with these durations.
pub fn with_durations(data: &RawValue, durations: &Durations) -> Box<RawValue> {
    Fields::parse(data).set("durations", durations).text()
}
