//! A contract that is a JSON Schema: its messages are the alternatives at its top, or the whole schema is one.

use std::rc::Rc;

use serde_json::Value;

use super::document::Document;
use super::files::{Files, Place};
use super::found::Found;
use crate::json_schema::Draft;

/// Keywords of which a JSON Schema has at least one.
const KEYWORDS: [&str; 27] = [
    "$schema",
    "$id",
    "$ref",
    "$dynamicRef",
    "$defs",
    "definitions",
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "items",
    "prefixItems",
    "contains",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "if",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "unevaluatedProperties",
];

/// Whether a document looks like a JSON Schema.
pub(super) fn is_schema(document: &Value) -> bool {
    document.is_boolean() || KEYWORDS.iter().any(|keyword| document.get(keyword).is_some())
}

pub(super) fn messages(document: &Rc<Document>, files: &Files) -> Vec<Found> {
    let root = Place { document: document.clone(), pointer: String::new() };
    let mut branches = root.items("oneOf");
    if branches.is_empty() {
        branches = root.items("anyOf");
    }
    if branches.len() < 2 {
        branches = vec![root];
    }
    let draft = draft(&document.value);
    branches.into_iter().enumerate().map(|(index, schema)| message(files, &schema, index, draft)).collect()
}

/// The draft of a contract, which is also that of the files that it refers to, if they name none.
pub(super) fn draft(root: &Value) -> Draft {
    root.get("$schema").and_then(Value::as_str).and_then(Draft::from_url).unwrap_or(Draft::V2020_12)
}

fn message(files: &Files, schema: &Place, index: usize, draft: Draft) -> Found {
    let target = files.followed(schema).unwrap_or_else(|| schema.clone());
    let title = target.get("title").and_then(Value::as_str).map(str::to_owned);
    let examples = target.get("examples").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut found = Found { name: String::new(), title, examples, schema: Some(schema.clone()), draft };
    let by_type = || {
        let fixed = found.fixed(files);
        let kind = |key: &str| fixed.iter().find(|(name, _)| name == key).map(|(_, text)| text.clone());
        ["type", "event", "kind", "name"].into_iter().find_map(kind)
    };
    let reference = || {
        let reference = schema.get("$ref").and_then(Value::as_str)?;
        reference.rsplit(['/', '#']).next().filter(|name| !name.is_empty()).map(str::to_owned)
    };
    let whole = || schema.pointer.is_empty().then(|| "message".to_owned());
    found.name = (found.title.clone().filter(|_| !schema.pointer.is_empty()))
        .or_else(by_type)
        .or_else(reference)
        .or_else(|| found.title.clone())
        .or_else(whole)
        .unwrap_or_else(|| format!("alternative {}", index + 1));
    found
}
