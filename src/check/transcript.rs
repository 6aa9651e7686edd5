//! The transcript of a connection: every received frame with its line and its time of arrival.

use std::time::Duration;

use serde_json::Value;

use crate::contract::{Envelope, Message, MessageType, StreamOpened};

/// Everything that arrived on a connection, in order.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    /// The frames.
    pub frames: Vec<Received>,
    /// What arrived on further connections, which resumed the stream after a cut.
    pub probes: Vec<Probe>,
    /// When the listening ended, since the connection was opened; `None` in a recording. A silence at the end lasts
    /// until then.
    pub ended: Option<Duration>,
}

/// A received text frame.
#[derive(Debug, Clone)]
pub struct Received {
    /// Line of the transcript, from 1; in a recording the line of the file.
    pub line: usize,
    /// When it arrived, since the connection was opened; `None` in a recording.
    pub arrival: Option<Duration>,
    /// The text.
    pub raw: String,
    /// The content, or why it is not JSON.
    pub parsed: Result<Parsed, String>,
}

/// The content of a frame that is JSON.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The JSON value.
    pub value: Value,
    /// The envelope, if the JSON value is one.
    pub envelope: Option<Envelope>,
    /// The payload, if it matches its type.
    pub message: Option<Message>,
}

/// A connection that resumed the stream after a position.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The position after which it resumed.
    pub after: u64,
    /// The events that arrived, as JSON text.
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

    /// The transcript of a recording: one frame per line; empty lines are skipped.
    pub fn from_recording(text: &str) -> Self {
        let mut transcript = Self::default();
        for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
            transcript.add(number, line.to_owned(), None);
        }
        transcript
    }

    /// Whether an event of an incident arrived, even if its payload cannot be read.
    pub fn has_events(&self) -> bool {
        let parsed = self.frames.iter().filter_map(|frame| frame.parsed.as_ref().ok());
        let mut kinds = parsed.filter_map(|parsed| parsed.value.get("type")?.as_str());
        kinds.any(is_event)
    }

    /// The events with a payload that can be read, in order of arrival.
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

    /// The `stream_opened` messages: one per connection.
    pub(super) fn greetings(&self) -> impl Iterator<Item = (&Received, &StreamOpened)> {
        self.controls().filter_map(|(frame, message)| {
            if let Message::StreamOpened(opened) = message { Some((frame, opened)) } else { None }
        })
    }

    /// The position of the last stored event that was replayed; later events were sent live.
    pub fn replayed_to(&self) -> u64 {
        self.greetings().next().map_or(0, |(_, opened)| opened.follows.range().1)
    }
}

impl Received {
    /// Where in the stream the frame is, for people: `position 31, T+83.4 s`.
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

/// Whether this is the type of an event of an incident.
pub(super) fn is_event(kind: &str) -> bool {
    MessageType::from_name(kind).is_some_and(|kind| !kind.is_control())
}
