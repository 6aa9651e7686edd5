//! The rule `envelope`: every frame is a CloudEvents 1.0 event in structured JSON with the attributes that the contract
//! adds. CloudEvents: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>.

use serde_json::{Map, Value};

use super::finding::{Finding, quoted};
use super::head::{Head, Sender};
use crate::contract::{
    MAX_INDEX, MAX_SUBJECT_BYTES, MessageType, Position, Role, SPEC_VERSION, Source, is_addressable,
    parse_time,
};

/// Reads the attributes of an event as far as they can be read. Also returns the first thing that is wrong with them.
pub(super) fn read(event: &Map<String, Value>) -> (Head, Option<Finding>) {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let (id, source, kind) = (text("id"), text("source"), text("type"));
    let sender = match source.parse::<Source>() {
        Ok(Source::Stream(stream)) => Sender::Stream(stream.as_str().to_owned()),
        Ok(Source::Server(_)) => Sender::Server,
        Err(_) => Sender::Other,
    };
    let position = position(id).filter(|_| matches!(sender, Sender::Stream(_)));
    let head = Head {
        id: id.to_owned(),
        kind: kind.to_owned(),
        position,
        subject: event.get("subject").and_then(Value::as_str).map(str::to_owned),
        index: event.get("index").and_then(Value::as_u64).filter(|index| (1..=MAX_INDEX).contains(index)),
        time: event.get("time").and_then(Value::as_str).and_then(parse_time),
        sender,
    };
    let wrong = cloud_event(event).and_then(|()| ours(event, &head, source)).err();
    (head, wrong)
}

/// A position: decimal, from 1 and below 2^53, without a sign or zeros in front.
fn position(id: &str) -> Option<u64> {
    let plain = !id.starts_with('0') && id.len() <= 16 && id.bytes().all(|byte| byte.is_ascii_digit());
    id.parse().ok().filter(|n| plain && (1..Position::LIMIT).contains(n))
}

/// What CloudEvents demands of every event.
pub(super) fn cloud_event(event: &Map<String, Value>) -> Result<(), Finding> {
    for required in ["specversion", "id", "source", "type"] {
        match event.get(required) {
            None | Some(Value::Null) => return Err(missing(required)),
            Some(Value::String(value)) if value.is_empty() => {
                return Err(wrong(required, format!("the attribute {required} is empty")));
            }
            Some(Value::String(_)) => {}
            Some(other) => return Err(kind_of(required, "a text", other)),
        }
    }
    if let Some(version) = event.get("specversion").and_then(Value::as_str)
        && version != SPEC_VERSION
    {
        let message = format!("specversion is {}; expected {SPEC_VERSION:?}", quoted(version));
        return Err(wrong("specversion", message));
    }
    if event.contains_key("data") && event.contains_key("data_base64") {
        return Err(wrong("data_base64", "an event has data or data_base64, not both"));
    }
    for (name, value) in event.iter().filter(|(name, _)| !matches!(name.as_str(), "data" | "data_base64")) {
        attribute(name, value)?;
    }
    Ok(())
}

/// What CloudEvents demands of an attribute. An attribute that is `null` counts as absent.
fn attribute(name: &str, value: &Value) -> Result<(), Finding> {
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        let message = format!("the attribute name {} has characters other than a-z and 0-9", quoted(name));
        return Err(wrong(name, message));
    }
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => {
            let integer = number.as_i64().is_some_and(|number| i32::try_from(number).is_ok());
            if !integer {
                let message = format!(
                    "the attribute {name} is {number}; a number in an attribute is whole and has 32 bits"
                );
                return Err(wrong(name, message));
            }
        }
        Value::String(text) => {
            if let Some(character) = text.chars().find(|character| is_forbidden(*character)) {
                let code = u32::from(character);
                let message = format!("the attribute {name} has the control character U+{code:04X}");
                return Err(wrong(name, message));
            }
        }
        Value::Array(_) | Value::Object(_) => {
            return Err(kind_of(name, "a text, a number or a truth value", value));
        }
    }
    let Value::String(text) = value else {
        let known = ["subject", "time", "datacontenttype", "dataschema"];
        return match value {
            Value::Null => Ok(()),
            _ if known.contains(&name) => Err(kind_of(name, "a text", value)),
            _ => Ok(()),
        };
    };
    let quoted = || quoted(text);
    match name {
        "source" if !is_uri_reference(text) => {
            Err(wrong(name, format!("source is {}, which is no URI reference", quoted())))
        }
        "dataschema" if !is_uri(text) => {
            Err(wrong(name, format!("dataschema is {}, which is no absolute URI", quoted())))
        }
        "subject" if text.is_empty() => Err(wrong(name, "the attribute subject is empty")),
        "time" if parse_time(text).is_none() => {
            Err(wrong(name, format!("time is {}, which is no RFC 3339 time with a time zone", quoted())))
        }
        "datacontenttype" if !is_media_type(text) => {
            Err(wrong(name, format!("datacontenttype is {}, which is no media type", quoted())))
        }
        _ => Ok(()),
    }
}

/// What the contract adds.
fn ours(event: &Map<String, Value>, head: &Head, source: &str) -> Result<(), Finding> {
    let known = MessageType::from_name(&head.kind);
    let control = known.is_some_and(MessageType::is_control);
    match (&head.sender, known) {
        (Sender::Other, None) => return Ok(()),
        (Sender::Stream(_), _) if !control => {}
        (Sender::Server, Some(_)) if control => {}
        (_, Some(_)) => {
            let wanted = if control { "/servers/NAME" } else { "/streams/STREAM" };
            let message = format!("the source of {} is {}; expected {wanted}", head.kind, quoted(source));
            return Err(wrong("source", message));
        }
        (_, None) => {}
    }
    match event.get("data") {
        Some(Value::Object(_)) => {}
        Some(other) => return Err(kind_of("data", "an object", other)),
        None => return Err(missing("data")),
    }
    if event.get("time").is_none_or(Value::is_null) {
        return Err(missing("time").hint("the contract has the time in every message"));
    }
    let content = event.get("datacontenttype").and_then(Value::as_str);
    if let Some(content) = content.filter(|content| !content.to_ascii_lowercase().contains("json")) {
        let message = format!("datacontenttype is {}, but the payload is JSON", quoted(content));
        return Err(wrong("datacontenttype", message));
    }
    if head.sender == Sender::Server {
        let extra =
            ["subject", "index"].into_iter().find(|name| event.get(*name).is_some_and(|it| !it.is_null()));
        return match extra.filter(|_| control) {
            Some(name) => Err(wrong(name, format!("a control message has no {name}"))),
            None => Ok(()),
        };
    }
    if head.position.is_none() {
        let message = format!(
            "the id is {}; a position is a decimal number from 1 and below 2^53, without zeros in front",
            quoted(&head.id)
        );
        return Err(wrong("id", message));
    }
    let Some(subject) = &head.subject else {
        return Err(missing("subject").hint("the subject is the incident's id"));
    };
    // As a replay judges it.
    if !is_addressable(subject) {
        let message = format!(
            "the subject is {}, which no path can name; ids of incidents have letters, digits, '-', '_' and '.'",
            quoted(subject)
        );
        return Err(wrong("subject", message));
    }
    if known.is_some_and(|kind| kind.role() == Role::Start) && subject.len() > MAX_SUBJECT_BYTES {
        let bytes = subject.len();
        let message = format!("the subject has {bytes} bytes; at most {MAX_SUBJECT_BYTES} are allowed");
        return Err(wrong("subject", message));
    }
    match event.get("index") {
        Some(_) if head.index.is_some() => Ok(()),
        None | Some(Value::Null) => {
            Err(missing("index").hint("the index is the event's number in its incident"))
        }
        Some(other) => {
            let message = format!("index is {}; expected a whole number from 1 to {MAX_INDEX}", shown(other));
            Err(wrong("index", message))
        }
    }
}

fn missing(name: &str) -> Finding {
    Finding::new(format!("the attribute {name} is missing")).field(format!("/{name}"))
}

fn wrong(name: &str, message: impl Into<String>) -> Finding {
    Finding::new(message).field(format!("/{}", name.replace('~', "~0").replace('/', "~1")))
}

fn kind_of(name: &str, expected: &str, found: &Value) -> Finding {
    wrong(name, format!("the attribute {name} is {}; expected {expected}", shown(found)))
}

/// A value as a message shows it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::String(text) => quoted(text),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// CloudEvents forbids control characters and noncharacters in texts. JSON has no unpaired surrogates once it is read.
fn is_forbidden(character: char) -> bool {
    let code = u32::from(character);
    matches!(code, 0..=0x1f | 0x7f..=0x9f | 0xfdd0..=0xfdef) || code & 0xfffe == 0xfffe
}

fn is_uri_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(character)
}

fn is_uri_reference(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let escaped = after.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        if !escaped {
            return false;
        }
        rest = &after[2..];
    }
    // A colon before the first slash ends a scheme.
    let first = text.split(['/', '?', '#']).next().unwrap_or_default();
    let scheme = first.split_once(':').map(|(scheme, _)| scheme);
    text.chars().all(is_uri_character) && text.matches('#').count() <= 1 && scheme.is_none_or(is_scheme)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character))
}

fn is_uri(text: &str) -> bool {
    let scheme = text.split_once(':').filter(|(_, rest)| !rest.is_empty()).map(|(scheme, _)| scheme);
    is_uri_reference(text) && scheme.is_some_and(is_scheme)
}

fn is_media_type(text: &str) -> bool {
    let token = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character))
    };
    let kind = text.split(';').next().unwrap_or_default().trim();
    kind.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub))
}
