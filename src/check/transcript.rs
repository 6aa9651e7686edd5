//! What was received: every frame with its line and its time of arrival.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::contract::{Envelope, IncidentResolved, IncidentStarted, Message, MessageType, StreamOpened};

/// Everything that arrived on one connection, in order.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    /// The frames.
    pub frames: Vec<Frame>,
    /// What came when the connection was opened again after a cut.
    pub probes: Vec<Probe>,
    /// When the listening ended, since the connection was opened; `None` in a recording. What was silent was silent
    /// until then.
    pub ended: Option<Duration>,
}

/// One text frame.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Line of the transcript, from 1; of the file where it is a recording.
    pub line: usize,
    /// Since the connection was opened; `None` in a recording.
    pub arrival: Option<Duration>,
    /// The text.
    pub raw: String,
    /// What could be read of it.
    pub parsed: Result<Parsed, String>,
}

/// A frame that is JSON and has the attributes that every rule but `envelope` needs.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The whole as JSON.
    pub value: Value,
    /// The envelope, if it is one.
    pub envelope: Option<Envelope>,
    /// The payload, if it fits its type.
    pub message: Option<Message>,
}

/// A connection that was opened after a position.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The position that was asked for.
    pub after: u64,
    /// The stream's events that came then.
    pub frames: Vec<String>,
}

impl Transcript {
    /// Adds the next frame.
    pub fn push(&mut self, raw: String, arrival: Option<Duration>) {
        self.add(self.frames.len() + 1, raw, arrival);
    }

    fn add(&mut self, line: usize, raw: String, arrival: Option<Duration>) {
        let parsed = serde_json::from_str::<Value>(&raw).map_err(|error| error.to_string()).map(|value| {
            let envelope: Option<Envelope> = serde_json::from_str(&raw).ok();
            let message = envelope.as_ref().and_then(|envelope| envelope.message().ok());
            Parsed { value, envelope, message }
        });
        self.frames.push(Frame { line, arrival, raw, parsed });
    }

    /// A recording: one frame a line, empty lines left out.
    pub fn from_recording(text: &str) -> Self {
        let mut transcript = Self::default();
        for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
            transcript.add(number, line.to_owned(), None);
        }
        transcript
    }

    /// Whether an event of an incident came, whatever its payload.
    pub fn has_events(&self) -> bool {
        let parsed = self.frames.iter().filter_map(|frame| frame.parsed.as_ref().ok());
        let mut kinds = parsed.filter_map(|parsed| parsed.value.get("type")?.as_str());
        kinds.any(is_event)
    }

    /// The numbered events whose payload could be read, in order of arrival.
    pub fn events(&self) -> impl Iterator<Item = (&Frame, &Envelope, &Message)> {
        self.frames.iter().filter_map(|frame| {
            let parsed = frame.parsed.as_ref().ok()?;
            let (envelope, message) = (parsed.envelope.as_ref()?, parsed.message.as_ref()?);
            (!message.kind().is_control()).then_some((frame, envelope, message))
        })
    }

    /// The control messages, in order of arrival.
    pub fn controls(&self) -> impl Iterator<Item = (&Frame, &Message)> {
        self.frames.iter().filter_map(|frame| {
            let message = frame.parsed.as_ref().ok()?.message.as_ref()?;
            message.kind().is_control().then_some((frame, message))
        })
    }

    /// The events of each incident, sorted by index: rules about an incident's course are not about the wire's
    /// order, which has rules of its own.
    pub fn incidents(&self) -> BTreeMap<&str, Vec<(&Frame, &Message)>> {
        let mut incidents: BTreeMap<&str, Vec<(&Frame, &Message)>> = BTreeMap::new();
        for (frame, envelope, message) in self.events() {
            incidents.entry(envelope.incident()).or_default().push((frame, message));
        }
        for events in incidents.values_mut() {
            events.sort_by_key(|(_, message)| message.index());
            // A repeat is `duplicate`'s to tell.
            events.dedup_by_key(|(_, message)| message.index());
        }
        incidents
    }

    /// The greetings: one on each connection.
    pub(super) fn greetings(&self) -> impl Iterator<Item = (&Frame, &StreamOpened)> {
        self.controls().filter_map(|(frame, message)| match message {
            Message::StreamOpened(opened) => Some((frame, opened)),
            _ => None,
        })
    }

    /// The last position that was replayed rather than live, as the server announced.
    pub fn replayed_to(&self) -> u64 {
        self.greetings().next().map_or(0, |(_, opened)| opened.follows.range().1)
    }
}

impl Frame {
    /// Where it stands, for people: `position 31, T+83.4 s`.
    pub fn place(&self) -> String {
        let parsed = self.parsed.as_ref().ok();
        let envelope = parsed.and_then(|parsed| parsed.envelope.as_ref());
        let offset = parsed.and_then(|parsed| parsed.message.as_ref()).and_then(Message::offset_s);
        match (envelope, offset) {
            (Some(envelope), Some(offset)) => format!("position {}, T+{offset:.1} s", envelope.id),
            (Some(envelope), None) => format!("{} {}", envelope.kind, envelope.id),
            _ => format!("line {}", self.line),
        }
    }

    /// The event's position in its stream.
    pub(super) fn position(&self) -> Option<u64> {
        Some(self.parsed.as_ref().ok()?.envelope.as_ref()?.position()?.n)
    }
}

/// The `incident_resolved` among an incident's events.
pub(super) fn resolved<'a>(events: &[(&'a Frame, &'a Message)]) -> Option<(&'a Frame, &'a IncidentResolved)> {
    events.iter().find_map(|(frame, message)| match message {
        Message::IncidentResolved(resolved) => Some((*frame, resolved)),
        _ => None,
    })
}

/// The `incident_started` among an incident's events.
pub(super) fn started<'a>(events: &[(&'a Frame, &'a Message)]) -> Option<&'a IncidentStarted> {
    events.iter().find_map(|(_, message)| match message {
        Message::IncidentStarted(started) => Some(started),
        _ => None,
    })
}

/// The screen second of a planned second at speed 1, by the phases that the incident announced. Incident time
/// where it announced none.
pub(super) fn screen_s(started: Option<&IncidentStarted>, offset_s: f64) -> f64 {
    let mut screen = 0.0;
    for phase in started.map(|started| started.phases.as_slice()).unwrap_or_default() {
        let length = phase.end_s - phase.start_s;
        if offset_s < phase.end_s || length <= 0.0 {
            let part = if length > 0.0 { ((offset_s - phase.start_s) / length).clamp(0.0, 1.0) } else { 0.0 };
            return screen + part * phase.play_s;
        }
        screen += phase.play_s;
    }
    if screen > 0.0 { screen } else { offset_s }
}

/// Whether the message type is one of an incident.
pub(super) fn is_event(kind: &str) -> bool {
    MessageType::from_name(kind).is_some_and(|kind| !kind.is_control())
}
