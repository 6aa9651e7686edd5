//! One line of a recording: an event, something to skip, or a mistake.

use serde::de::IgnoredAny;

use crate::contract::{Envelope, MAX_EVENT_BYTES, MAX_INDEX, Message, MessageType, Source};

/// Room for the envelope, and for what is set in a payload when it is played.
const ENVELOPE_BYTES: usize = 1024;

/// What a line holds.
pub(super) enum Line {
    /// An event of an incident.
    Event(Box<Event>),
    /// A control message or nothing at all.
    Nothing,
}

/// An event that can be played.
pub(super) struct Event {
    pub(super) envelope: Envelope,
    pub(super) message: Message,
    /// Its place in its incident.
    pub(super) index: u64,
}

/// Whether a line without a line break is the beginning of one that was being written.
pub(super) fn is_torn(line: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(line).is_err()
}

/// Reads a line.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(line: &str) -> Result<Line, String> {
    if line.trim_ascii().is_empty() {
        return Ok(Line::Nothing);
    }
    let envelope: Envelope = serde_json::from_str(line).map_err(|error| {
        let kind = if error.is_data() { "not a CloudEvents event" } else { "not JSON" };
        format!("{kind}: {}", without_place(&error))
    })?;
    match MessageType::from_name(&envelope.kind) {
        Some(kind) if kind.is_control() => return Ok(Line::Nothing),
        Some(_) => {}
        // What a server says of itself need not be known; an event of a stream that is left out leaves a gap.
        None if matches!(envelope.source.parse(), Ok(Source::Server(_))) => return Ok(Line::Nothing),
        None => return Err(format!("{:?} is no message type that can be played", envelope.kind)),
    }
    if envelope.incident().is_empty() {
        return Err(format!("the {} has no subject: the incident's id", envelope.kind));
    }
    let message = envelope
        .message()
        .map_err(|error| format!("the {} does not fit its type: {}", envelope.kind, without_place(&error)))?;
    let bytes = envelope.data.get().len() + envelope.incident().len();
    if bytes > MAX_EVENT_BYTES - ENVELOPE_BYTES {
        return Err(format!(
            "{bytes} bytes of data; an event has at most {MAX_EVENT_BYTES} with its envelope"
        ));
    }
    match envelope.index {
        Some(index @ 1..=MAX_INDEX) => Ok(Line::Event(Box::new(Event { envelope, message, index }))),
        Some(index) => {
            Err(format!("the {} has the index {index}; indexes go from 1 to {MAX_INDEX}", envelope.kind))
        }
        None => Err(format!("the {} has no index: its place in the incident", envelope.kind)),
    }
}

/// The line is told already, and it is not the reader's line 1.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}
