//! The JSON Schema of the contract, derived from its types.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::envelope::{MAX_INDEX, SPEC_VERSION};
use super::message::MessageType;

/// The whole contract: one schema (draft 2020-12) that every text frame satisfies. `$defs` has the payload of each
/// message type under the name of its Rust type.
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let one_of: Vec<Value> = MessageType::ALL
        .iter()
        .map(|kind| envelope_of(*kind, kind.payload_reference(&mut generator).as_value()))
        .collect();
    let definitions = generator.take_definitions(true);
    portable(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "incident stream",
        "description": "Every text frame of an incident stream: a CloudEvents 1.0 event in structured JSON.",
        "oneOf": one_of,
        "$defs": definitions,
    }))
}

/// The schema of one type's payload, with the definitions that it refers to.
pub fn payload(kind: MessageType) -> Value {
    portable(kind.payload_schema().to_value())
}

/// The formats that schemars writes beside JSON Schema's own: names of Rust's numbers. Validators that are strict, Ajv
/// by default, refuse a schema with a format that they do not know. `type`, `minimum` and `maximum` say the same.
const FORMATS_OF_RUST: [&str; 12] = [
    "int8", "int16", "int32", "int64", "int", "uint8", "uint16", "uint32", "uint64", "uint", "float",
    "double",
];

/// The schema without the formats of Rust, everywhere below.
pub(crate) fn portable(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(object) => {
            let format = object.get("format").and_then(Value::as_str);
            if format.is_some_and(|format| FORMATS_OF_RUST.contains(&format)) {
                object.remove("format");
            }
            object.values_mut().for_each(|value| *value = portable(value.take()));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| *value = portable(value.take())),
        _ => {}
    }
    schema
}

/// The schema of the envelope without the payload.
pub fn envelope() -> Value {
    let mut schema = attributes();
    schema.insert("title".into(), "CloudEvents 1.0 envelope of an incident stream".into());
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    Value::Object(schema)
}

/// The schema of a whole message of one type; `payload` is the schema of its `data`.
pub(super) fn envelope_of(kind: MessageType, payload: &Value) -> Value {
    let mut schema = attributes();
    schema.insert("title".into(), kind.as_str().into());
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("type".into(), json!({ "const": kind.as_str() }));
        properties.insert("data".into(), payload.clone());
        if kind.is_control() {
            properties.insert("source".into(), json!({ "type": "string", "pattern": "^/servers/.+$" }));
        } else {
            properties.insert("id".into(), json!({ "type": "string", "pattern": "^[1-9][0-9]{0,15}$" }));
            properties.insert(
                "source".into(),
                json!({ "type": "string", "pattern": "^/streams/[A-Za-z0-9_-]{1,64}$" }),
            );
        }
    }
    if !kind.is_control()
        && let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut)
    {
        required.extend(["subject".into(), "index".into()]);
    }
    Value::Object(schema)
}

fn attributes() -> Map<String, Value> {
    let schema = json!({
        "type": "object",
        "properties": {
            "specversion": { "const": SPEC_VERSION },
            "id": { "type": "string", "minLength": 1, "description": "The event's position in its stream: a decimal number" },
            "source": { "type": "string", "minLength": 1, "description": "/streams/STREAM or /servers/NAME" },
            "type": { "type": "string", "minLength": 1 },
            "subject": { "type": "string", "minLength": 1, "description": "The incident's id" },
            "time": { "type": "string", "format": "date-time", "description": "When the event was appended, UTC" },
            "index": {
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_INDEX,
                "description": "Number of the event in its incident, from 1, without gaps",
            },
            "data": { "type": "object" },
        },
        "required": ["specversion", "id", "source", "type", "time", "data"],
        // CloudEvents: attribute names are lower-case letters and digits.
        "propertyNames": { "type": "string", "pattern": "^[a-z0-9]+$" },
    });
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}
