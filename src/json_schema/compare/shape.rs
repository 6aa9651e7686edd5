//! A schema in a form in which two versions can be compared: references followed, different ways of saying the same undone.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::pointer::join;

/// The longest chain of references that is followed.
const LONGEST_CHAIN: usize = 32;

/// A schema and where it stands.
#[derive(Clone)]
pub(super) struct At {
    pub(super) schema: Value,
    pub(super) pointer: String,
}

impl At {
    /// The schema at a keyword of this one.
    pub(super) fn below(&self, path: &[&str]) -> Option<At> {
        let schema = path.iter().try_fold(&self.schema, |schema, token| match schema {
            Value::Array(items) => items.get(token.parse::<usize>().ok()?),
            schema => schema.get(token),
        })?;
        let pointer = path.iter().fold(self.pointer.clone(), |pointer, token| join(&pointer, token));
        Some(At { schema: schema.clone(), pointer })
    }
}

/// A schema whose references are followed.
pub(super) struct Shape {
    pub(super) at: At,
    /// The name of the definition that a reference led to, if the schema says nothing else.
    pub(super) definition: Option<String>,
    /// What tells it from all others that references lead to: the definition and what stands beside the reference.
    pub(super) identity: Option<String>,
    /// The allowed types; `None` if every type is. A number that need not be whole is `integer` and `fraction`.
    pub(super) types: Option<BTreeSet<String>>,
    /// The allowed values; `None` if the schema lists none.
    pub(super) values: Option<Vec<Value>>,
    /// The alternatives, if there are at least two.
    pub(super) alternatives: Vec<At>,
}

impl Shape {
    /// The shape of a schema of `document`.
    pub(super) fn of(document: &Value, at: At) -> Self {
        let Resolved { at, definition, identity } = resolved(document, at);
        let mut shape =
            Self { at, definition, identity, types: None, values: None, alternatives: Vec::new() };
        let is_nullable = shape.read_alternatives(document);
        shape.types = types(&shape.at.schema);
        shape.values = shape.values.take().or_else(|| values(&shape.at.schema));
        if let (None, Some(values)) = (&shape.types, &shape.values) {
            shape.types = Some(values.iter().flat_map(types_of).collect());
        }
        if let (true, Some(types)) = (is_nullable, &mut shape.types) {
            types.insert("null".to_owned());
        }
        shape
    }

    pub(super) fn get(&self, keyword: &str) -> Option<&Value> {
        self.at.schema.get(keyword)
    }

    /// What it says beside its alternatives.
    pub(super) fn beside(&self) -> Option<Value> {
        rules(&self.at.schema)
    }

    /// Reads `oneOf` and `anyOf`, and returns whether null is one of the alternatives.
    fn read_alternatives(&mut self, document: &Value) -> bool {
        let Some((keyword, branches)) = ["oneOf", "anyOf"].into_iter().find_map(|keyword| {
            let branches = self.at.schema.get(keyword)?.as_array()?;
            Some((keyword, branches.len()))
        }) else {
            return false;
        };
        let all = (0..branches).filter_map(|index| self.at.below(&[keyword, &index.to_string()]));
        let all: Vec<(At, At)> = all.map(|at| (at.clone(), resolved(document, at).at)).collect();
        let is_null = |at: &At| at.schema.get("type") == Some(&json!("null"));
        let is_nullable = all.iter().any(|(_, resolved)| is_null(resolved));
        let others: Vec<_> = all.into_iter().filter(|(_, resolved)| !is_null(resolved)).collect();
        if let Some(object) = self.at.schema.as_object_mut() {
            object.remove(keyword);
        }
        let lists: Vec<Option<Vec<Value>>> =
            others.iter().map(|(_, resolved)| values(&resolved.schema)).collect();
        if let [(at, _)] = others.as_slice() {
            let only = resolved(document, at.clone());
            let beside = self.beside();
            self.definition = only.definition.filter(|_| beside.is_none());
            self.identity = only.identity.map(|identity| format!("{identity} {beside:?}"));
            overlay(&mut self.at.schema, only.at.schema);
            self.at.pointer = only.at.pointer;
        } else if !lists.is_empty() && lists.iter().all(Option::is_some) {
            self.values = Some(lists.into_iter().flatten().flatten().collect());
        } else {
            self.alternatives = others.into_iter().map(|(at, _)| at).collect();
        }
        is_nullable
    }
}

/// A schema whose references are followed.
struct Resolved {
    at: At,
    definition: Option<String>,
    identity: Option<String>,
}

/// Follows `$ref`, and `allOf` with one entry, which older drafts need beside a description.
fn resolved(document: &Value, mut at: At) -> Resolved {
    let (mut definition, mut identity) = (None, None);
    if let Value::Bool(allowed) = at.schema {
        at.schema = if allowed { json!({}) } else { json!({ "not": {} }) };
    }
    for _ in 0..LONGEST_CHAIN {
        let reference = at.schema.get("$ref").and_then(Value::as_str);
        if let Some(pointer) = reference.and_then(|reference| reference.strip_prefix('#')) {
            let Some(target) = document.pointer(pointer) else { break };
            let (pointer, target) = (pointer.to_owned(), target.clone());
            remove(&mut at.schema, "$ref");
            let rules = rules(&at.schema);
            definition = pointer.rsplit('/').next().filter(|_| rules.is_none()).map(str::to_owned);
            identity = Some(format!("{pointer} {rules:?}"));
            overlay(&mut at.schema, target);
            at.pointer = pointer;
            continue;
        }
        let only = at.schema.get("allOf").and_then(Value::as_array).filter(|all| all.len() == 1);
        let Some(only) = only.map(|all| all[0].clone()) else { break };
        // What a definition says in an `allOf` is its own.
        if identity.is_some() {
            break;
        }
        remove(&mut at.schema, "allOf");
        at.pointer = format!("{}/allOf/0", at.pointer);
        overlay(&mut at.schema, only);
    }
    Resolved { at, definition, identity }
}

/// What a schema restricts, if it restricts anything.
fn rules(schema: &Value) -> Option<Value> {
    let mut rules = bare(schema);
    for keyword in ["$defs", "definitions"] {
        remove(&mut rules, keyword);
    }
    rules.as_object().is_some_and(|rules| !rules.is_empty()).then_some(rules)
}

fn remove(schema: &mut Value, keyword: &str) {
    if let Some(object) = schema.as_object_mut() {
        object.remove(keyword);
    }
}

/// Adds the keywords of another schema that applies, too. Keywords that both have and that differ go into an `allOf`.
fn overlay(schema: &mut Value, other: Value) {
    let (Some(object), Value::Object(other)) = (schema.as_object_mut(), other) else { return };
    let mut apart = Map::new();
    for (keyword, value) in other {
        match object.get(&keyword) {
            None => {
                object.insert(keyword, value);
            }
            Some(own) if *own == value || NOTES.contains(&keyword.as_str()) => {}
            Some(_) => {
                apart.insert(keyword, value);
            }
        }
    }
    if !apart.is_empty() {
        let all = object.entry("allOf").or_insert_with(|| json!([]));
        if let Some(all) = all.as_array_mut() {
            all.push(Value::Object(apart));
        }
    }
}

fn types(schema: &Value) -> Option<BTreeSet<String>> {
    let names: Vec<&str> = match schema.get("type")? {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let parts = |name: &str| match name {
        "number" => vec!["fraction".to_owned(), "integer".to_owned()],
        name => vec![name.to_owned()],
    };
    Some(names.into_iter().flat_map(parts).collect())
}

fn types_of(value: &Value) -> Vec<String> {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "fraction",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    vec![name.to_owned()]
}

fn values(schema: &Value) -> Option<Vec<Value>> {
    match (schema.get("const"), schema.get("enum")) {
        (Some(value), _) => Some(vec![value.clone()]),
        (None, Some(Value::Array(values))) => Some(values.clone()),
        _ => None,
    }
}

/// Keywords that describe and do not restrict.
pub(super) const NOTES: [&str; 12] = [
    "title",
    "description",
    "examples",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
    "$schema",
    "$id",
    "$anchor",
    "example",
];

/// Keywords whose value is a map from names to schemas.
const MAPS: [&str; 5] = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];

/// A schema without what only describes, to find out whether two say the same.
pub(super) fn bare(schema: &Value) -> Value {
    let Value::Object(object) = schema else { return schema.clone() };
    let mut kept = Map::new();
    for (keyword, value) in object.iter().filter(|(keyword, _)| !NOTES.contains(&keyword.as_str())) {
        let value = match value {
            Value::Object(map) if MAPS.contains(&keyword.as_str()) => {
                map.iter().map(|(name, schema)| (name.clone(), bare(schema))).collect()
            }
            Value::Array(schemas) if !matches!(keyword.as_str(), "enum" | "required" | "type") => {
                schemas.iter().map(bare).collect()
            }
            value if keyword == "const" => value.clone(),
            value => bare(value),
        };
        kept.insert(keyword.clone(), value);
    }
    Value::Object(kept)
}
