//! The fields of an object: removed, renamed, new, required or optional now.

use serde_json::{Map, Value, json};

use super::super::pointer::join;
use super::super::words::quoted;
use super::change::Breaks;
use super::report::{Pair, Report};
use super::shape::{At, Shape, bare};

pub(super) fn compare(report: &mut Report<'_>, pair: &Pair) {
    let (old, new) = (Fields::of(&pair.old), Fields::of(&pair.new));
    let mut renamed = Vec::new();
    for name in old.names() {
        let quoted = quoted(name);
        let pointer = join(&format!("{}/properties", pair.pointer), name);
        match (old.at(name), new.at(name)) {
            (Some(before), Some(after)) => {
                requirement(report, &old, &new, name, &pointer);
                report.schemas(At { pointer, ..before }, after, &quoted);
            }
            (Some(_), None) if !new.requires(name) => {
                let twin = new.names().into_iter().find(|other| {
                    old.at(other).is_none() && !renamed.contains(other) && new.is_like(other, &old, name)
                });
                if let Some(twin) = twin {
                    renamed.push(twin);
                    let text = format!("the field {quoted} was renamed to {}", self::quoted(twin));
                    report.note(Breaks::Both, &pointer, text);
                } else {
                    let breaks = if new.is_closed { Breaks::Both } else { Breaks::Readers };
                    report.note(breaks, &pointer, format!("the field {quoted} was removed"));
                }
            }
            // A field of which nothing is said may be anything.
            (before, after) => {
                let anything = || At { schema: json!(true), pointer: pointer.clone() };
                requirement(report, &old, &new, name, &pointer);
                let before = before.map(|at| At { pointer: pointer.clone(), ..at });
                report.schemas(before.unwrap_or_else(anything), after.unwrap_or_else(anything), &quoted);
            }
        }
    }
    for name in new.names() {
        if old.at(name).is_some() || old.requires(name) || renamed.contains(&name) {
            continue;
        }
        let (quoted, pointer) = (quoted(name), join(&format!("{}/properties", pair.new.at.pointer), name));
        let (breaks, text) = match (new.requires(name), old.is_closed) {
            (true, false) => (Breaks::Writers, format!("the new field {quoted} is required")),
            (true, true) => (
                Breaks::Both,
                format!("the new field {quoted} is required, and the old version allowed no further fields"),
            ),
            (false, true) => (
                Breaks::Readers,
                format!("the field {quoted} is new, and the old version allowed no further fields"),
            ),
            (false, false) => (Breaks::Nothing, format!("the optional field {quoted} is new")),
        };
        report.note(breaks, &pointer, text);
        // Readers of the old version take the field for a further one, of which something is said.
        let further = old.at.below(&["additionalProperties"]).filter(|at| at.schema.is_object());
        if let (Some(further), Some(field)) = (further, new.at(name)) {
            report.schemas(At { pointer, ..further }, field, &quoted);
        }
    }
}

fn requirement(report: &mut Report<'_>, old: &Fields, new: &Fields, name: &str, pointer: &str) {
    let name_ = quoted(name);
    match (old.requires(name), new.requires(name)) {
        (true, false) => {
            let text = format!("the field {name_} may be absent now; it was always present");
            report.note(Breaks::Readers, pointer, text);
        }
        (false, true) => {
            let text = format!("the field {name_} is required now; it was optional");
            report.note(Breaks::Writers, pointer, text);
        }
        _ => {}
    }
}

/// What an object schema says about fields.
struct Fields<'a> {
    at: &'a At,
    properties: Option<&'a Map<String, Value>>,
    required: Vec<&'a str>,
    /// No other fields are allowed.
    is_closed: bool,
}

impl<'a> Fields<'a> {
    fn of(shape: &'a Shape) -> Self {
        let required = shape.get("required").and_then(Value::as_array);
        Self {
            at: &shape.at,
            properties: shape.get("properties").and_then(Value::as_object),
            required: required.into_iter().flatten().filter_map(Value::as_str).collect(),
            is_closed: shape.get("additionalProperties") == Some(&Value::Bool(false)),
        }
    }

    /// Every field that is described or required.
    fn names(&self) -> Vec<&'a str> {
        let described = self.properties.into_iter().flat_map(Map::keys).map(String::as_str);
        let mut names: Vec<&str> = described.collect();
        for name in &self.required {
            if !names.contains(name) {
                names.push(name);
            }
        }
        names
    }

    fn at(&self, name: &str) -> Option<At> {
        self.at.below(&["properties", name])
    }

    fn requires(&self, name: &str) -> bool {
        self.required.contains(&name)
    }

    /// Whether a field says the same as another one does in another version, and more than any field would.
    fn is_like(&self, name: &str, other: &Self, its_name: &str) -> bool {
        let (Some(one), Some(two)) = (self.at(name), other.at(its_name)) else { return false };
        let is_said = |at: &At, key: &str| at.schema.get(key).filter(|text| !text.is_null()).cloned();
        let same_words = is_said(&one, "description") == is_said(&two, "description");
        same_words
            && bare(&one.schema) == bare(&two.schema)
            && self.requires(name) == other.requires(its_name)
    }
}
