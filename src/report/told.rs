//! What is kept of events until the histories of their incidents are made: what they say, not their text. A long incident is mostly
//! samples, so those are kept without the room that other messages need, and their metrics' names are kept once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::contract::{Envelope, Message, MessageType, SystemMetrics};

/// About how many bytes an event takes beside what differs: the values of a sample, the text and the lists of another event.
const EVENT_BYTES: usize = 512;

/// The bytes of a metric of a sample.
const VALUE_BYTES: usize = size_of::<(Arc<str>, f64)>();

/// About how many bytes an entry of a list takes beside its text.
const ENTRY_BYTES: usize = 112;

/// The values of a sample by the names of the metrics, in order of the names.
pub(super) type Values = Box<[(Arc<str>, f64)]>;

/// The events of one incident by their index.
pub(super) type Events = BTreeMap<u64, Told>;

/// What an event says, and when it was stored.
pub(super) struct Told {
    time: Timestamp,
    what: What,
}

#[expect(clippy::large_enum_variant, reason = "most events are samples, and a box for each would take more")]
enum What {
    /// A sample without its metrics, and these.
    Sample(SystemMetrics, Values),
    Other(Box<Message>),
}

impl Told {
    pub(super) fn kind(&self) -> MessageType {
        match &self.what {
            What::Sample(..) => MessageType::SystemMetrics,
            What::Other(message) => message.kind(),
        }
    }

    /// The planned second, if the incident is simulated.
    pub(super) fn offset_s(&self) -> Option<f64> {
        match &self.what {
            What::Sample(sample, _) => sample.offset_s,
            What::Other(message) => message.offset_s(),
        }
    }

    /// The message with its time, unless it is a sample.
    pub(super) fn other(&self) -> Option<(Timestamp, &Message)> {
        match &self.what {
            What::Sample(..) => None,
            What::Other(message) => Some((self.time, message)),
        }
    }

    /// The message with its time, and the values of a sample as they are kept; none of other messages.
    pub(super) fn into_parts(self) -> (Timestamp, Message, Values) {
        let (message, values) = match self.what {
            What::Sample(sample, values) => {
                let metrics = values.iter().map(|(name, value)| (name.as_ref().to_owned(), *value)).collect();
                (Message::SystemMetrics(SystemMetrics { metrics, ..sample }), values)
            }
            What::Other(message) => (*message, Values::default()),
        };
        (self.time, message, values)
    }
}

/// Takes in events one by one, for the histories of their incidents: [`super::History::of`].
#[derive(Default)]
pub struct ToldIncidents {
    places: HashMap<String, usize>,
    /// In order of appearance.
    incidents: Vec<(String, Events)>,
    /// The names of all metrics.
    names: HashSet<Arc<str>>,
    bytes: usize,
    written: usize,
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
        if self.incidents[place].1.contains_key(&index) {
            return;
        }
        self.bytes += EVENT_BYTES;
        let what = match message {
            Message::SystemMetrics(mut sample) => {
                let metrics = std::mem::take(&mut sample.metrics);
                let values: Values =
                    metrics.into_iter().map(|(name, value)| (self.name(name), value)).collect();
                self.bytes += values.len() * VALUE_BYTES;
                What::Sample(sample, values)
            }
            other => {
                self.bytes += event.data.get().len() + entries(&other) * ENTRY_BYTES;
                self.written += written(&other);
                What::Other(Box::new(other))
            }
        };
        self.incidents[place].1.insert(index, Told { time: event.time, what });
    }

    /// The one text of a name.
    fn name(&mut self, name: String) -> Arc<str> {
        if let Some(known) = self.names.get(name.as_str()) {
            return Arc::clone(known);
        }
        self.bytes += name.len() + ENTRY_BYTES;
        let name: Arc<str> = name.into();
        self.names.insert(Arc::clone(&name));
        name
    }

    /// About how many bytes all of it takes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// At least about so many bytes of texts are in its report.
    pub fn written(&self) -> usize {
        self.written
    }

    /// What was told of each incident, in order of appearance.
    pub(super) fn into_incidents(self) -> Vec<(String, Events)> {
        self.incidents
    }
}

/// How many entries the lists of a message have together.
fn entries(message: &Message) -> usize {
    match message {
        Message::AgentAction(action) => action.hypotheses.len() + action.evidence.len(),
        _ => 0,
    }
}

/// How many bytes of its texts stand in the report in full.
fn written(message: &Message) -> usize {
    let Message::AgentAction(action) = message else { return 0 };
    let evidence = action.evidence.iter().filter_map(|evidence| evidence.text.as_deref());
    action.summary.len() + evidence.map(str::len).sum::<usize>()
}
