//! An event as a publisher sent it.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::digest;
use super::fault::Fault;
use super::kind::Kind;
use crate::contract::{MessageType, SPEC_VERSION, parse_time};

/// The longest `id` and `source`, in characters.
const NAME_CHARS: usize = 256;

/// The longest `subject`: it is a part of paths and of the names of files.
const SUBJECT_BYTES: usize = 64;

/// An event that waits to be stored. Make it from a `CloudEvent` with [`Incoming::from_value`], or fill it in.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// The publisher: a URI reference.
    pub source: String,
    /// The publisher's name for the event. `source` and `id` together name one event for ever.
    pub id: String,
    /// The incident.
    pub subject: String,
    /// One of the four types of events.
    pub kind: MessageType,
    /// When the publisher observed it.
    pub time: Timestamp,
    /// The contract's data without the fields that the server sets: `synthetic`, `origin`, `observed_at`, `late_s`.
    pub data: Map<String, Value>,
    /// The event is stored only if this is the index of its incident's newest event; 0 if there is none yet.
    pub after_index: Option<u64>,
}

impl Incoming {
    /// Reads a `CloudEvent` in structured JSON.
    ///
    /// # Errors
    /// Everything that is wrong with its attributes.
    pub fn from_value(value: Value) -> Result<Self, Vec<Fault>> {
        let Value::Object(mut event) = value else {
            return Err(vec![Fault::new(Kind::BadEnvelope, "", "an event is a JSON object")]);
        };
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, detail: String| {
            faults.push(Fault::new(Kind::BadEnvelope, pointer, detail));
        };
        if event.get("specversion").and_then(Value::as_str) != Some(SPEC_VERSION) {
            fault("/specversion", format!("specversion must be {SPEC_VERSION:?}"));
        }
        let mut text = |name: &str, most: usize| match event.get(name) {
            Some(Value::String(text)) if !text.is_empty() && text.chars().count() <= most => text.clone(),
            Some(Value::String(text)) if text.is_empty() => {
                fault(&format!("/{name}"), format!("{name} is empty"));
                String::new()
            }
            Some(Value::String(_)) => {
                fault(&format!("/{name}"), format!("{name} has more than {most} characters"));
                String::new()
            }
            Some(_) => {
                fault(&format!("/{name}"), format!("{name} must be a string"));
                String::new()
            }
            None => {
                fault(&format!("/{name}"), format!("{name} is missing"));
                String::new()
            }
        };
        let (id, source) = (text("id", NAME_CHARS), text("source", NAME_CHARS));
        let subject = text("subject", SUBJECT_BYTES);
        let (kind, time) = (text("type", NAME_CHARS), text("time", NAME_CHARS));
        if !source.is_empty() && !is_reference(&source) {
            fault("/source", "source must be a URI reference, such as /agents/diagnosis".to_owned());
        }
        if !subject.is_empty() && !is_subject(&subject) {
            let form = "a letter or digit, then letters, digits and hyphens: lower case, at most 64";
            fault("/subject", format!("subject is the incident's name: {form}"));
        }
        let known = MessageType::from_name(&kind).filter(|kind| !kind.is_control());
        if !kind.is_empty() && known.is_none() {
            let names: Vec<_> = MessageType::ALL.iter().filter(|kind| !kind.is_control()).collect();
            let names: Vec<_> = names.iter().map(|kind| kind.as_str()).collect();
            fault("/type", format!("type must be one of {}", names.join(", ")));
        }
        let at = parse_time(&time);
        if !time.is_empty() && at.is_none() {
            fault(
                "/time",
                "time must be RFC 3339 and before 9999-12-30, such as 2026-11-22T10:00:00Z".to_owned(),
            );
        }
        if let Some(content_type) = event.get("datacontenttype")
            && !content_type.as_str().is_some_and(is_json)
        {
            fault("/datacontenttype", "datacontenttype must be application/json, or absent".to_owned());
        }
        if event.contains_key("data_base64") {
            fault("/data_base64", "send data as JSON in `data`, not as data_base64".to_owned());
        }
        if event.contains_key("index") {
            let detail = "the server gives the index; send afterindex to expect one";
            fault("/index", detail.to_owned());
        }
        let after_index = event.get("afterindex").map(Value::as_u64);
        if after_index == Some(None) {
            fault("/afterindex", "afterindex must be a whole number from 0".to_owned());
        }
        let data = match event.remove("data") {
            Some(Value::Object(data)) => data,
            Some(_) => {
                fault("/data", "data must be an object".to_owned());
                Map::new()
            }
            None => {
                fault("/data", "data is missing".to_owned());
                Map::new()
            }
        };
        match (known, at) {
            (Some(kind), Some(time)) if faults.is_empty() => {
                Ok(Self { source, id, subject, kind, time, data, after_index: after_index.flatten() })
            }
            _ => Err(faults),
        }
    }

    /// SHA-256 of type, subject, time and data: equal for a repeat, however its members are ordered.
    pub fn digest(&self) -> [u8; 32] {
        digest::of(self.kind.as_str(), &self.subject, &self.time.to_string(), &self.data)
    }
}

fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Whether the text has only characters that a URI reference can have.
fn is_reference(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte))
}

fn is_subject(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().next().is_some_and(plain) && text.bytes().all(|byte| plain(byte) || byte == b'-')
}
