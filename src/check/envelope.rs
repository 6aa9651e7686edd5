//! The rule `envelope`: every frame is a CloudEvents event with the attributes that the contract adds.

use serde_json::Value;

use super::compiled::CompiledSchema;
use super::context::Context;
use super::transcript::{Transcript, is_event};
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::{MAX_EVENT_BYTES, Position, Source, schema};

pub(super) fn judge(transcript: &Transcript, _: &Context) -> Verdict {
    if transcript.frames.is_empty() {
        return Verdict::NotChecked("no message arrived".to_owned());
    }
    let shape = match CompiledSchema::new(&schema::envelope()) {
        Ok(shape) => shape,
        Err(error) => {
            return Verdict::NotChecked(format!("the schema of the envelope cannot be used: {error}"));
        }
    };
    let mut findings = Vec::new();
    for frame in &transcript.frames {
        let wrong = match &frame.parsed {
            Err(error) => Some(format!("not JSON: {error}")),
            Ok(_) if frame.raw.len() > MAX_EVENT_BYTES => Some(format!(
                "the event has {} bytes; at most {MAX_EVENT_BYTES} are allowed",
                frame.raw.len()
            )),
            Ok(parsed) => match shape.mismatch(&parsed.value) {
                Some(mismatch) => Some(format!("{} at {:?}", mismatch.message, mismatch.path)),
                None => attributes(&parsed.value),
            },
        };
        findings.extend(wrong.map(|message| Finding::new(message).at(frame)));
    }
    verdict(findings, || format!("{} frames are CloudEvents 1.0", transcript.frames.len()))
}

/// Checks what the schema cannot express.
fn attributes(event: &Value) -> Option<String> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let source = match text("source").parse::<Source>() {
        Ok(source) => source,
        Err(error) => return Some(error),
    };
    match (source, is_event(text("type"))) {
        (Source::Stream(_), true) => {}
        (source, true) => {
            return Some(format!(
                "{:?} is an event of an incident, but its source is {source}",
                text("type")
            ));
        }
        // A control message has no position, and the rule `schema` reports unknown types.
        (_, false) => return None,
    }
    let id = text("id");
    let number = id.parse::<u64>().ok().filter(|n| (1..Position::LIMIT).contains(n) && n.to_string() == id);
    if number.is_none() {
        return Some(format!(
            "the id {id:?} is not a position, which is a decimal number from 1 and below 2^53"
        ));
    }
    if text("subject").is_empty() {
        return Some("the event has no subject, which is the incident's id".to_owned());
    }
    event
        .get("index")
        .is_none()
        .then(|| "the event has no index, which is its number in the incident".to_owned())
}
