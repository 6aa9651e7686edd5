//! What is kept of events until the histories of their incidents are made: what they say, not their text. A long incident is mostly
//! samples, so those are kept without the room that other messages need.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::contract::{Envelope, Message, MessageType, SystemMetrics};

/// About how many bytes an event takes beside its text, a sample of four metrics at least.
pub const TOLD_BYTES: usize = 512;

/// The events of one incident by their index.
pub(super) type Events = BTreeMap<u64, Told>;

/// What an event says, and when it was stored.
pub(super) struct Told {
    time: Timestamp,
    what: What,
}

enum What {
    Sample(SystemMetrics),
    Other(Box<Message>),
}

impl Told {
    fn new(time: Timestamp, message: Message) -> Self {
        let what = match message {
            Message::SystemMetrics(sample) => What::Sample(sample),
            other => What::Other(Box::new(other)),
        };
        Self { time, what }
    }

    pub(super) fn kind(&self) -> MessageType {
        match &self.what {
            What::Sample(_) => MessageType::SystemMetrics,
            What::Other(message) => message.kind(),
        }
    }

    /// The planned second, if the incident is simulated.
    pub(super) fn offset_s(&self) -> Option<f64> {
        match &self.what {
            What::Sample(sample) => sample.offset_s,
            What::Other(message) => message.offset_s(),
        }
    }

    /// The message with its time, unless it is a sample.
    pub(super) fn other(&self) -> Option<(Timestamp, &Message)> {
        match &self.what {
            What::Sample(_) => None,
            What::Other(message) => Some((self.time, message)),
        }
    }

    pub(super) fn into_message(self) -> (Timestamp, Message) {
        let message = match self.what {
            What::Sample(sample) => Message::SystemMetrics(sample),
            What::Other(message) => *message,
        };
        (self.time, message)
    }
}

/// Takes in events one by one, for the histories of their incidents: [`super::History::of`].
#[derive(Default)]
pub struct ToldIncidents {
    places: HashMap<String, usize>,
    /// In order of appearance.
    incidents: Vec<(String, Events)>,
}

impl ToldIncidents {
    /// Takes in an event. A repeated one counts once. Control messages and payloads that cannot be read are skipped.
    pub fn add(&mut self, event: &Envelope) {
        let Ok(message) = event.message() else { return };
        let Some(index) = event.index.filter(|_| !message.kind().is_control()) else { return };
        let id = event.incident();
        let place = match self.places.get(id) {
            Some(place) => *place,
            None => {
                self.places.insert(id.to_owned(), self.incidents.len());
                self.incidents.push((id.to_owned(), Events::new()));
                self.incidents.len() - 1
            }
        };
        self.incidents[place].1.entry(index).or_insert_with(|| Told::new(event.time, message));
    }

    /// What was told of each incident, in order of appearance.
    pub(super) fn into_incidents(self) -> Vec<(String, Events)> {
        self.incidents
    }
}
