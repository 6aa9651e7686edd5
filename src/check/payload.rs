//! The rule `schema`: every payload matches the schema of its type.
//!
//! A payload that its Rust type can read and whose numbers are within their bounds needs no schema: reading has proved
//! the shape. The schema judges the others and says what is wrong. A property test holds that both agree.

use std::collections::HashMap;

use serde_json::Value;

use super::finding::Finding;
use crate::contract::{Message, MessageType, schema};
use crate::json_schema::{Mismatch, Schema};

/// The schemas of all payloads.
pub(super) struct Payloads(HashMap<MessageType, Schema>);

impl Payloads {
    pub(super) fn new() -> Self {
        let schemas = MessageType::ALL.iter().filter_map(|kind| {
            // A schema of our own always compiles: the tests of the contract compile each.
            Schema::compile(&schema::payload(*kind)).ok().map(|schema| (*kind, schema))
        });
        Self(schemas.collect())
    }

    /// The message of a payload.
    ///
    /// # Errors
    /// What is wrong with the payload.
    pub(super) fn read(&self, kind: MessageType, data: &Value) -> Result<Message, Finding> {
        match Message::from_value(kind, data) {
            Ok(message) if message.proves(data) => return with_seconds(message),
            _ => {}
        }
        let name = kind.as_str();
        if let Some(mismatch) = self.0.get(&kind).and_then(|schema| schema.mismatch(data)) {
            let Mismatch { text, pointer } = mismatch;
            return Err(Finding::new(format!("{name}: {text}")).field(format!("/data{pointer}")));
        }
        // The schema takes 1.0 for a count, which Rust's types don't.
        let mut data = data.clone();
        whole_numbers(&mut data);
        let message = Message::from_value(kind, &data);
        message
            .map_err(|error| Finding::new(format!("{name}: {error}")).field("/data"))
            .and_then(with_seconds)
    }
}

/// Writes each whole number without a fraction.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            // Larger ones are not exact.
            if let Some(whole) = number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 2_f64.powi(53))
                && number.is_f64()
            {
                *value = Value::from(whole as i64);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(whole_numbers),
        Value::Object(map) => map.values_mut().for_each(whole_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The message, unless it is of a drill and lacks its second.
fn with_seconds(message: Message) -> Result<Message, Finding> {
    match drill_without_seconds(&message) {
        Some(wrong) => Err(wrong),
        None => Ok(message),
    }
}

/// A drill may run faster than the clock, so only `offset_s` says at which second something happened. One that is told by its
/// publishers, by the alerts of another program, has no plan.
fn drill_without_seconds(message: &Message) -> Option<Finding> {
    let lacks = message.is_synthetic() && message.offset_s().is_none() && message.origin().is_none();
    lacks.then(|| {
        let name = message.kind().as_str();
        Finding::new(format!("{name}: a drill's event has no offset_s"))
            .field("/data/offset_s")
            .hint("a drill may run faster than the clock, so only offset_s says at which second it happened")
    })
}
