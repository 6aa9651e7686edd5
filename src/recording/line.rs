//! Reading one line of a recording: an event, a line to skip, or a mistake.

use serde::de::IgnoredAny;

use crate::contract::{
    Envelope, MAX_INDEX, Message, MessageType, Source, check_size, is_addressable, strange_line,
};
use crate::unread_json::{beyond, without_place};

/// Bytes reserved for the fields that a replay sets in a payload.
const ADDED_BYTES: usize = 256;

/// The content of a line.
pub(super) enum RecordedLine {
    /// An event of an incident.
    Event(Box<RecordedEvent>),
    /// A control message or an empty line.
    Skip,
}

/// An event that can be played.
pub(super) struct RecordedEvent {
    pub(super) envelope: Envelope,
    pub(super) message: Message,
    /// The event's index in its incident.
    pub(super) index: u64,
}

/// Whether a line without a line break was cut off while it was being written: it is not complete JSON.
pub(super) fn is_torn(line: &str) -> bool {
    let is_begun = strange_line(line).is_none() || line.trim_ascii() == "{";
    is_begun && serde_json::from_str::<IgnoredAny>(line).is_err()
}

/// Reads a line.
///
/// # Errors
/// What is wrong with the line.
pub(super) fn read(line: &str) -> Result<RecordedLine, String> {
    if line.trim_ascii().is_empty() {
        return Ok(RecordedLine::Skip);
    }
    let envelope: Envelope = serde_json::from_str(line).map_err(|error| {
        if let Some(what) = strange_line(line) {
            return what.to_owned();
        }
        if beyond(&error).is_some() {
            return without_place(&error);
        }
        let kind = if error.is_data() { "not a CloudEvents event" } else { "not JSON" };
        format!("{kind}: {}", without_place(&error))
    })?;
    match MessageType::from_name(&envelope.kind) {
        Some(kind) if kind.is_control() => return Ok(RecordedLine::Skip),
        Some(_) => {}
        // An unknown control message can be skipped. An unknown event cannot, because it would leave a gap.
        None if matches!(envelope.source.parse(), Ok(Source::Server(_))) => return Ok(RecordedLine::Skip),
        None => return Err(format!("the message type {:?} is unknown and cannot be played", envelope.kind)),
    }
    if envelope.incident().is_empty() {
        return Err(format!("the {} has no subject, which is the incident's id", envelope.kind));
    }
    if !is_addressable(envelope.incident()) {
        return Err(format!(
            "{:?} cannot be an incident's id, because no path could name it: ids have letters, digits, '-', '_' and '.'",
            envelope.incident()
        ));
    }
    let message = envelope.message().map_err(|error| {
        // A number is read only where a field of the payload needs it.
        let kind = if beyond(&error).is_some() { "cannot be read" } else { "does not match its type" };
        format!("the payload of the {} {kind}: {}", envelope.kind, without_place(&error))
    })?;
    check_size(envelope.incident(), message.kind(), envelope.data.get().len() + ADDED_BYTES)?;
    match envelope.index {
        Some(index @ 1..=MAX_INDEX) => {
            Ok(RecordedLine::Event(Box::new(RecordedEvent { envelope, message, index })))
        }
        Some(index) => {
            Err(format!("the {} has the index {index}; an index is from 1 to {MAX_INDEX}", envelope.kind))
        }
        None => Err(format!("the {} has no index, which is its number in the incident", envelope.kind)),
    }
}
