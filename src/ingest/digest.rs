//! The digest by which a repeat of an event is told from another event under the same id.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// SHA-256 of the event, whatever the order of the members of its data.
pub(super) fn of(kind: &str, subject: &str, time: &str, data: &Map<String, Value>) -> [u8; 32] {
    let mut text = String::new();
    for attribute in [kind, subject, time] {
        string(&mut text, attribute);
    }
    object(&mut text, data);
    Sha256::digest(text.as_bytes()).into()
}

fn object(text: &mut String, members: &Map<String, Value>) {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by_key(|(name, _)| name.as_str());
    text.push('{');
    for (name, value) in members {
        string(text, name);
        canonical(text, value);
    }
    text.push('}');
}

fn canonical(text: &mut String, value: &Value) {
    match value {
        Value::Object(members) => object(text, members),
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(text, item);
                text.push(',');
            }
            text.push(']');
        }
        Value::String(string_value) => string(text, string_value),
        other => text.push_str(&other.to_string()),
    }
}

fn string(text: &mut String, value: &str) {
    text.push_str(&value.len().to_string());
    text.push(':');
    text.push_str(value);
}
