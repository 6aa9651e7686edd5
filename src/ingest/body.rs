//! The body of a request to publish: one event, a batch, or one event on each line.

use serde_json::Value;
use serde_json::value::RawValue;

use super::fault::{Fault, Refused};
use super::incoming::Incoming;
use super::kind::Kind;
use crate::contract::MAX_EVENT_BYTES;
use crate::unread_json::{is_too_large, sentence};

/// The most bytes of a body.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The most events of a request.
pub const MAX_EVENTS: usize = 256;

/// How the events stand in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `application/cloudevents+json`
    One,
    /// `application/cloudevents-batch+json`
    Batch,
    /// `application/x-ndjson`
    Lines,
}

impl Format {
    /// The format that a content type names.
    pub fn of(content_type: &str) -> Option<Self> {
        let name = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match name.as_str() {
            "application/cloudevents+json" => Some(Self::One),
            "application/cloudevents-batch+json" => Some(Self::Batch),
            "application/x-ndjson" => Some(Self::Lines),
            _ => None,
        }
    }
}

/// The events of a body, each read or refused by itself.
///
/// # Errors
/// The body as a whole cannot be read, has no event, or too many.
pub fn read(format: Format, body: &[u8]) -> Result<Vec<Result<Incoming, Vec<Fault>>>, Refused> {
    if body.len() > MAX_BODY_BYTES {
        let detail = format!("the body has more than {MAX_BODY_BYTES} bytes");
        return Err(Refused::whole(Kind::TooLarge, detail));
    }
    let text = std::str::from_utf8(body)
        .map_err(|error| Refused::whole(Kind::NotJson, format!("the body is not UTF-8: {error}")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let whole = |text: &str| {
        serde_json::from_str::<Value>(text)
            .map_err(|error| Refused::whole(kind(&error), sentence("the body", &error)))
    };
    let events: Vec<Result<Incoming, Vec<Fault>>> = match format {
        Format::One => vec![event(whole(text)?, text.len())],
        Format::Batch => {
            // Each as it was sent, to know its size without writing it again.
            let Ok(events) = serde_json::from_str::<Vec<&RawValue>>(text) else {
                whole(text)?;
                return Err(Refused::whole(Kind::NotJson, "a batch is a JSON array of events"));
            };
            limited(events.len())?;
            events.into_iter().map(|event| one(event.get(), "the event")).collect()
        }
        Format::Lines => {
            let lines: Vec<&str> =
                text.lines().filter(|line| !line.trim_ascii().is_empty()).take(MAX_EVENTS + 1).collect();
            limited(lines.len())?;
            lines.into_iter().map(|text| one(text, "the line")).collect()
        }
    };
    if events.is_empty() {
        return Err(Refused::whole(Kind::BadEnvelope, "the body has no event"));
    }
    Ok(events)
}

fn limited(events: usize) -> Result<(), Refused> {
    if events > MAX_EVENTS {
        let detail = format!("the request has more than {MAX_EVENTS} events");
        return Err(Refused::whole(Kind::TooLarge, detail));
    }
    Ok(())
}

/// One event of several. A text that is too large is not read.
fn one(text: &str, what: &str) -> Result<Incoming, Vec<Fault>> {
    let value = if text.len() > MAX_EVENT_BYTES { Ok(Value::Null) } else { serde_json::from_str(text) };
    match value {
        Ok(value) => event(value, text.len()),
        Err(error) => Err(vec![Fault::new(kind(&error), "", sentence(what, &error))]),
    }
}

fn kind(error: &serde_json::Error) -> Kind {
    if is_too_large(error) { Kind::NumberTooLarge } else { Kind::NotJson }
}

fn event(value: Value, bytes: usize) -> Result<Incoming, Vec<Fault>> {
    if bytes > MAX_EVENT_BYTES {
        let detail = format!("the event has {bytes} bytes; at most {MAX_EVENT_BYTES} are allowed");
        return Err(vec![Fault::new(Kind::TooLarge, "", detail)]);
    }
    Incoming::from_value(value)
}
