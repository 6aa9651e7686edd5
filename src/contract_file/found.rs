//! A message that a contract describes, before its schema is compiled.

use serde_json::Value;

use super::files::{Files, Place};
use crate::json_schema::Draft;

/// A message that a contract describes.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) examples: Vec<Value>,
    /// The schema; `None` if the message may be anything.
    pub(super) schema: Option<Place>,
    /// The draft of a schema that does not name one.
    pub(super) draft: Draft,
}

impl Found {
    /// Fields at the top that have one fixed text in this message, such as `type`.
    pub(super) fn fixed(&self, files: &Files) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if let Some(schema) = &self.schema {
            fixed(files, schema, 0, &mut found);
        }
        found
    }
}

fn fixed(files: &Files, schema: &Place, depth: usize, found: &mut Vec<(String, String)>) {
    // What cannot be followed is reported when the schema is compiled.
    let Some(schema) = files.followed(schema) else { return };
    for (name, field) in schema.members("properties") {
        if let Some(text) = files.followed(&field).and_then(|field| only(field.value())) {
            found.push((name, text));
        }
    }
    if depth < 4 {
        for part in schema.items("allOf") {
            fixed(files, &part, depth + 1, found);
        }
    }
}

/// The only text that a schema allows.
fn only(schema: &Value) -> Option<String> {
    let listed = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice);
    match (schema.get("const"), listed) {
        (Some(Value::String(text)), _) | (None, Some([Value::String(text)])) => Some(text.clone()),
        _ => None,
    }
}
