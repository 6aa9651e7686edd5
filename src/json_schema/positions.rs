//! The schemas within a document: what is data in it, such as an example, is none.

use serde_json::{Map, Value};

use super::pointer::join;

/// Keywords whose value is data.
const DATA: [&str; 5] = ["const", "enum", "examples", "example", "default"];

/// Keys whose value has names for keys. Some are AsyncAPI's.
const MAPS: [&str; 12] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
    "dependencies",
    "schemas",
    "messages",
    "channels",
    "parameters",
    "operations",
    "servers",
];

/// Whether what stands at this key of a schema is data.
pub(super) fn is_data(key: &str) -> bool {
    DATA.contains(&key)
}

/// Whether what stands at this key of a schema has names for keys.
pub(super) fn has_names(key: &str) -> bool {
    MAPS.contains(&key)
}

/// Visits every object that can be a schema, with the pointer to it.
pub fn visit<'v>(document: &'v Value, visitor: &mut dyn FnMut(&'v Map<String, Value>, &str)) {
    walk(document, "", false, visitor);
}

fn walk<'v>(
    value: &'v Value,
    pointer: &str,
    is_map: bool,
    visitor: &mut dyn FnMut(&'v Map<String, Value>, &str),
) {
    match value {
        Value::Object(object) => {
            if !is_map {
                visitor(object, pointer);
            }
            for (key, value) in object.iter().filter(|(key, _)| is_map || !is_data(key)) {
                walk(value, &join(pointer, key), !is_map && has_names(key), visitor);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &join(pointer, &index.to_string()), false, visitor);
            }
        }
        _ => {}
    }
}
