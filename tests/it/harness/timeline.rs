//! A plan as messages, for tests that look at what it says.

use std::sync::Arc;

use incident::contract::{EventWriter, IncidentEvent, Message, Source};
use incident::journal::Record;
use incident::plan::Plan;
use incident::scenario::Scenario;
use jiff::Timestamp;

/// The events of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    scenario: String,
    seed: u64,
    pub events: Vec<Planned>,
}

/// One event and when it is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub due: u64,
    pub message: Message,
}

impl Timeline {
    pub fn of(plan: &Plan) -> Self {
        let events = plan.events().iter();
        let events = events.map(|event| Planned { due: event.due, message: event.message().unwrap() });
        Self { scenario: plan.scenario.clone(), seed: plan.seed, events: events.collect() }
    }

    pub fn compile(scenario: &Scenario, seed: u64) -> Self {
        Self::of(&scenario.compile(seed).unwrap_or_else(|error| panic!("{error}")))
    }

    /// The plan of these events.
    pub fn plan(&self) -> Plan {
        let mut plan = Plan::new(self.scenario.clone(), self.seed);
        for Planned { due, message } in &self.events {
            plan.push_message(*due, message);
        }
        plan
    }

    /// The plan as it is stored.
    pub fn text(&self) -> Arc<str> {
        self.plan().text().unwrap()
    }

    /// The first `count` events as records of an incident.
    pub fn records(&self, subject: &str, count: usize) -> Vec<Record> {
        let events = self.events[..count].iter().zip(1..);
        events.map(|(event, index)| Record::at(subject, index, &event.message)).collect()
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }
}

/// The JSON text of an event, or of a control message, as a server writes it.
pub fn encode(
    source: &Source,
    id: u64,
    of: Option<IncidentEvent<'_>>,
    time: Timestamp,
    message: &Message,
) -> String {
    let data = message.data();
    EventWriter { source, id, kind: message.kind(), of, time, data: &data }.encode()
}
