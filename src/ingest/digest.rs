//! The digest by which a repeat of an event is told from another event under the same id.
//!
//! Two different events must never have the same text before it is hashed: the second would be answered as a repeat of the
//! first, and lost. So each value begins with its kind, and with its length, or with how many values follow.

use serde_json::{Map, Number, Value};
use sha2::{Digest as _, Sha256};

/// Every whole number below it is one in JSON's floating point, too: 2^53.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// SHA-256 of the event, whatever the order of the members of its data.
pub(super) fn of(kind: &str, subject: &str, time: &str, data: &Map<String, Value>) -> [u8; 32] {
    let mut text = String::new();
    for attribute in [kind, subject, time] {
        sized(&mut text, 's', attribute);
    }
    object(&mut text, data);
    Sha256::digest(text.as_bytes()).into()
}

fn object(text: &mut String, members: &Map<String, Value>) {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by_key(|(name, _)| name.as_str());
    head(text, 'o', members.len());
    for (name, value) in members {
        sized(text, 's', name);
        canonical(text, value);
    }
}

fn canonical(text: &mut String, value: &Value) {
    match value {
        Value::Object(members) => object(text, members),
        Value::Array(items) => {
            head(text, 'a', items.len());
            for item in items {
                canonical(text, item);
            }
        }
        Value::String(string) => sized(text, 's', string),
        Value::Number(number) => sized(text, 'n', &shortest(number)),
        Value::Bool(true) => text.push('t'),
        Value::Bool(false) => text.push('f'),
        Value::Null => text.push('0'),
    }
}

/// A number as most programs write it: one that reads 1.0 may send 1.
fn shortest(number: &Number) -> String {
    match number.as_f64().filter(|value| number.is_f64() && value.fract() == 0.0 && value.abs() < WHOLE) {
        Some(whole) => format!("{:.0}", whole + 0.0),
        None => number.to_string(),
    }
}

/// A text with its kind and length.
fn sized(text: &mut String, kind: char, value: &str) {
    head(text, kind, value.len());
    text.push_str(value);
}

/// The kind of a value and how much of it follows, which ends with a colon.
fn head(text: &mut String, kind: char, length: usize) {
    text.push(kind);
    text.push_str(&length.to_string());
    text.push(':');
}
