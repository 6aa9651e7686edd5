//! Lists where a table with keys of its own belongs. What reads the types would take their values by the order of the keys, which no file
//! is meant to know.

use std::sync::LazyLock;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::words;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::schema;

/// Parts of a file that are read in another way.
const OTHERS: [&str; 2] = ["parameters", "variant"];

static SCHEMA: LazyLock<Value> = LazyLock::new(schema::document);

/// The lists that stand in the place of a table, at most that many.
pub(super) fn listed(table: &DeTable<'_>, text: &str, most: usize) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (key, value) in table.iter().filter(|(key, _)| !OTHERS.contains(&key.get_ref().as_ref())) {
        if let Some(schema) = SCHEMA.pointer("/properties").and_then(|keys| keys.get(key.get_ref().as_ref()))
        {
            look(value, schema, text, most, &mut found);
        }
    }
    found
}

fn look(
    value: &Spanned<DeValue<'_>>,
    schema: &'static Value,
    text: &str,
    most: usize,
    found: &mut Vec<Diagnostic>,
) {
    if found.len() >= most {
        return;
    }
    let forms = forms(schema);
    match value.get_ref() {
        DeValue::Array(items) => {
            if let Some(item) = forms.iter().find_map(|(_, form)| form.get("items")) {
                items.iter().for_each(|value| look(value, item, text, most, found));
            } else if let [(name, form)] = forms.as_slice()
                && form.get("properties").is_some()
            {
                found.push(words::of_list(name, value.span(), text));
            }
        }
        DeValue::Table(table) => {
            for (key, value) in table {
                let of_key = |form: &'static Value| {
                    let named = form.get("properties").and_then(|keys| keys.get(key.get_ref().as_ref()));
                    named.or_else(|| form.get("additionalProperties"))
                };
                if let Some(schema) = forms.iter().find_map(|(_, form)| of_key(form)) {
                    look(value, schema, text, most, found);
                }
            }
        }
        _ => {}
    }
}

/// The forms that a value may have, each with the name of its definition.
fn forms(schema: &'static Value) -> Vec<(&'static str, &'static Value)> {
    let (mut found, mut left) = (Vec::new(), vec![("", schema)]);
    while let Some((name, schema)) = left.pop() {
        let defined =
            schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
        if let Some(name) = defined {
            left.extend(SCHEMA.get("$defs").and_then(|all| all.get(name)).map(|schema| (name, schema)));
        } else if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
            left.extend(choices.iter().map(|choice| (name, choice)));
        } else {
            found.push((name, schema));
        }
    }
    found
}
