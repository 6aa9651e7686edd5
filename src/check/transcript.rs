//! What was received: every frame with its line and its time of arrival.

use std::time::Duration;

use serde_json::Value;

use crate::contract::{Envelope, Message, MessageType, StreamOpened};

/// Everything that arrived on one connection, in order.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    /// The frames.
    pub frames: Vec<Received>,
    /// What came when the connection was opened again after a cut.
    pub probes: Vec<Probe>,
    /// When the listening ended, since the connection was opened; `None` in a recording. What was silent was silent
    /// until then.
    pub ended: Option<Duration>,
}

/// One text frame.
#[derive(Debug, Clone)]
pub struct Received {
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
        self.frames.push(Received { line, arrival, raw, parsed });
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
    pub fn events(&self) -> impl Iterator<Item = (&Received, &Envelope, &Message)> {
        self.frames.iter().filter_map(|frame| {
            let parsed = frame.parsed.as_ref().ok()?;
            let (envelope, message) = (parsed.envelope.as_ref()?, parsed.message.as_ref()?);
            (!message.kind().is_control()).then_some((frame, envelope, message))
        })
    }

    /// The control messages, in order of arrival.
    pub fn controls(&self) -> impl Iterator<Item = (&Received, &Message)> {
        self.frames.iter().filter_map(|frame| {
            let message = frame.parsed.as_ref().ok()?.message.as_ref()?;
            message.kind().is_control().then_some((frame, message))
        })
    }

    /// The greetings: one on each connection.
    pub(super) fn greetings(&self) -> impl Iterator<Item = (&Received, &StreamOpened)> {
        self.controls().filter_map(|(frame, message)| {
            if let Message::StreamOpened(opened) = message { Some((frame, opened)) } else { None }
        })
    }

    /// The last position that was replayed rather than live, as the server announced.
    pub fn replayed_to(&self) -> u64 {
        self.greetings().next().map_or(0, |(_, opened)| opened.follows.range().1)
    }
}

impl Received {
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

    /// The envelope, if the frame has one.
    pub(super) fn envelope(&self) -> Option<&Envelope> {
        self.parsed.as_ref().ok()?.envelope.as_ref()
    }

    /// The event's position in its stream.
    pub(super) fn position(&self) -> Option<u64> {
        Some(self.parsed.as_ref().ok()?.envelope.as_ref()?.position()?.n)
    }
}

/// Whether the message type is one of an incident.
pub(super) fn is_event(kind: &str) -> bool {
    MessageType::from_name(kind).is_some_and(|kind| !kind.is_control())
}
