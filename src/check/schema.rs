//! The rule `schema`: every payload matches the schema of its type.

use std::collections::HashMap;

use serde_json::Value;

use super::compiled::CompiledSchema;
use super::context::Context;
use super::transcript::Transcript;
use super::verdict::{Finding, Verdict, verdict};
use crate::contract::{MessageType, schema};

pub(super) fn judge(transcript: &Transcript, _: &Context) -> Verdict {
    let mut validators = HashMap::new();
    for kind in MessageType::ALL.iter().copied() {
        match CompiledSchema::new(&schema::payload(kind)) {
            Ok(validator) => validators.insert(kind, validator),
            Err(error) => {
                return Verdict::NotChecked(format!(
                    "the schema of {} cannot be used: {error}",
                    kind.as_str()
                ));
            }
        };
    }
    let mut findings = Vec::new();
    let (mut checked, mut payloads) = (0, 0);
    for frame in &transcript.frames {
        // The rule `envelope` reports frames that are not envelopes.
        let Ok(parsed) = &frame.parsed else { continue };
        let (Some(name), Some(data)) =
            (parsed.value.get("type").and_then(Value::as_str), parsed.value.get("data"))
        else {
            continue;
        };
        payloads += 1;
        let Some(kind) = MessageType::from_name(name) else {
            let known = MessageType::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
            findings.push(
                Finding::new(format!("unknown type {name:?}"))
                    .at(frame)
                    .hint(format!("known types: {known}")),
            );
            continue;
        };
        if let Some(mismatch) = validators[&kind].mismatch(data) {
            let (message, path) = (mismatch.message, mismatch.path);
            findings.push(Finding::new(format!("{name}: {message} at data{path}")).at(frame));
        } else if data.get("synthetic") == Some(&Value::Bool(true)) && data.get("offset_s").is_none() {
            findings.push(Finding::new(format!("{name}: a drill's event has no offset_s")).at(frame).hint(
                "a drill may run faster than the clock, so only offset_s says at which second it happened",
            ));
        } else {
            checked += 1;
        }
    }
    if payloads == 0 {
        return Verdict::NotChecked("no payload arrived".to_owned());
    }
    verdict(findings, || format!("{checked} of {payloads} payloads match the schema"))
}
