//! The JSON Schema of a scenario file, for editors; derived from the types that read the file.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::file::ScenarioFile;
use crate::contract::schema::portable;

/// The schema (draft 2020-12) of a scenario file, read as the JSON that the TOML stands for. Every value may be a
/// parameter instead: `"{NAME}"`. What the schema can't say, references, order and sums, `incident validate` checks.
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let root = generator.root_schema_for::<ScenarioFile>().to_value();
    let mut document = without_null(portable(root));
    if let Some(root) = document.as_object_mut() {
        root.insert("title".into(), "incident scenario".into());
        for (key, schema) in root.iter_mut() {
            match key.as_str() {
                "properties" => fill(schema, &["id", "parameters"]),
                "$defs" => {
                    fill(schema, &["Parameter", "ParameterTable", "ParameterValue", "Variant", "Keyframes"]);
                }
                _ => {}
            }
        }
    }
    // The values of keyframes, but not what is said about their keys.
    if let Some(values) = document.pointer_mut("/$defs/Keyframes/additionalProperties") {
        or_parameter(values);
    }
    document
}

/// The schema without `null`, which TOML does not have: an optional key is left out.
fn without_null(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(object) => {
            object.values_mut().for_each(|value| *value = without_null(value.take()));
            if let Some(Value::Array(kinds)) = object.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [kind] = kinds.as_slice() {
                    let kind = kind.clone();
                    object.insert("type".to_owned(), kind);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    for (key, value) in only {
                        // What the place says of the value is nearer than what its type says.
                        object.entry(key).or_insert(value);
                    }
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| *value = without_null(value.take())),
        _ => {}
    }
    schema
}

/// Lets a parameter stand for each value in some schemas, but for those of the names in `but`.
fn fill(schemas: &mut Value, but: &[&str]) {
    let schemas = schemas.as_object_mut().into_iter().flat_map(Map::iter_mut);
    for (_, schema) in schemas.filter(|(name, _)| !but.contains(&name.as_str())) {
        or_parameter(schema);
    }
}

fn or_parameter(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    for (keyword, inner) in object.iter_mut() {
        match keyword.as_str() {
            "properties" => fill(inner, &[]),
            "additionalProperties" | "items" => or_parameter(inner),
            "anyOf" | "oneOf" => inner.as_array_mut().into_iter().flatten().for_each(or_parameter),
            _ => {}
        }
    }
    let is = |kind: &str| match object.get("type") {
        Some(Value::String(name)) => name == kind,
        Some(Value::Array(names)) => names.iter().any(|name| name == kind),
        _ => false,
    };
    let is_free_text =
        is("string") && !["enum", "pattern", "format"].iter().any(|key| object.contains_key(*key));
    let is_value = ["number", "integer", "boolean", "string"].into_iter().any(is)
        || object.contains_key("enum")
        || object.contains_key("const");
    // A pattern that takes any parameter needs no second way.
    let takes_any = object.get("pattern").is_some_and(|pattern| pattern == ".");
    if !is_value || is_free_text || takes_any {
        return;
    }
    let mut whole = Map::new();
    for key in ["description", "default"] {
        if let Some(value) = object.remove(key) {
            whole.insert(key.to_owned(), value);
        }
    }
    let parameter = json!({ "type": "string", "pattern": "^\\{[A-Za-z0-9_-]{1,64}\\}$" });
    whole.insert("anyOf".to_owned(), json!([std::mem::take(object), parameter]));
    *object = whole;
}
