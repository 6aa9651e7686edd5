//! Every other keyword: schemas of items and of further fields, patterns, formats, and notes that restrict nothing.

use serde_json::Value;

use super::super::words::{quoted, shown};
use super::change::Breaks;
use super::report::{Pair, Report};
use super::shape::{At, NOTES, Shape};

/// Keywords that are compared elsewhere.
const ELSEWHERE: [&str; 19] = [
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "$defs",
    "definitions",
    "additionalProperties",
    "uniqueItems",
];

/// Titles, descriptions and the like: all of them compatible.
pub(super) fn notes(report: &mut Report<'_>, old: &Value, new: &Value, name: &str, pointer: &str) {
    for keyword in NOTES {
        let (old, new) = (old.get(keyword), new.get(keyword));
        if old == new {
            continue;
        }
        let text = match (keyword, new) {
            ("deprecated", Some(Value::Bool(true))) => format!("{name} is deprecated now"),
            _ => format!("the {} of {name} changed", keyword.trim_start_matches('$')),
        };
        report.note(Breaks::Nothing, pointer, text);
    }
}

pub(super) fn compare(report: &mut Report<'_>, pair: &Pair) {
    further_fields(report, pair);
    unique(report, pair);
    let mut keywords: Vec<&String> = Vec::new();
    for shape in [&pair.old, &pair.new] {
        let Some(object) = shape.at.schema.as_object() else { continue };
        for keyword in object.keys() {
            let is_known = ELSEWHERE.contains(&keyword.as_str()) || NOTES.contains(&keyword.as_str());
            if !is_known && !keywords.contains(&keyword) {
                keywords.push(keyword);
            }
        }
    }
    for keyword in keywords {
        match keyword.as_str() {
            "items" | "propertyNames" => within(report, pair, keyword),
            "allOf" | "prefixItems" => each(report, pair, keyword),
            _ => changed(report, pair, keyword),
        }
    }
}

fn label(pair: &Pair, keyword: &str) -> String {
    match keyword {
        "items" | "prefixItems" => format!("an item of {}", pair.name),
        "propertyNames" => format!("the name of a field of {}", pair.name),
        "additionalProperties" => format!("a further field of {}", pair.name),
        _ => pair.name.clone(),
    }
}

/// The schema at a keyword of the old version, with the pointer that the pair has.
fn before(pair: &Pair, path: &[&str]) -> Option<At> {
    At { schema: pair.old.at.schema.clone(), pointer: pair.pointer.clone() }.below(path)
}

fn within(report: &mut Report<'_>, pair: &Pair, keyword: &str) {
    // A schema that allows everything says nothing.
    let read = |at: Option<At>| at.filter(|at| at.schema != Value::Bool(true));
    let label = label(pair, keyword);
    match (read(before(pair, &[keyword])), read(pair.new.at.below(&[keyword]))) {
        (Some(old), Some(new)) => report.schemas(old, new, &label),
        (Some(old), None) => {
            report.note(Breaks::Readers, &old.pointer, format!("{label} may be anything now"));
        }
        (None, Some(new)) => {
            let text = format!("{label} is restricted now; it could be anything");
            report.note(Breaks::Writers, &new.pointer, text);
        }
        (None, None) => {}
    }
}

/// Lists of schemas of the same length are compared one by one.
fn each(report: &mut Report<'_>, pair: &Pair, keyword: &str) {
    let count = |shape: &Shape| shape.get(keyword).and_then(Value::as_array).map(Vec::len);
    match (count(&pair.old), count(&pair.new)) {
        (Some(old), Some(new)) if old == new => {
            for index in 0..old {
                let path = [keyword, &index.to_string()];
                if let (Some(old), Some(new)) = (before(pair, &path), pair.new.at.below(&path)) {
                    report.schemas(old, new, &label(pair, keyword));
                }
            }
        }
        _ => changed(report, pair, keyword),
    }
}

fn further_fields(report: &mut Report<'_>, pair: &Pair) {
    const KEYWORD: &str = "additionalProperties";
    let (old, new) = (before(pair, &[KEYWORD]), pair.new.at.below(&[KEYWORD]));
    let is_closed = |at: &Option<At>| at.as_ref().is_some_and(|at| at.schema == Value::Bool(false));
    let name = &pair.name;
    match (is_closed(&old), is_closed(&new)) {
        (true, true) => {}
        (true, false) => {
            let text = format!("{name} may have further fields now; it had none");
            report.note(Breaks::Readers, &format!("{}/{KEYWORD}", pair.pointer), text);
        }
        (false, true) => {
            let text = format!("{name} may no longer have further fields");
            report.note(Breaks::Writers, &format!("{}/{KEYWORD}", pair.new.at.pointer), text);
        }
        (false, false) => within(report, pair, KEYWORD),
    }
}

fn unique(report: &mut Report<'_>, pair: &Pair) {
    let read = |shape: &Shape| shape.get("uniqueItems") == Some(&Value::Bool(true));
    let name = &pair.name;
    match (read(&pair.old), read(&pair.new)) {
        (true, false) => {
            report.note(Breaks::Readers, &pair.pointer, format!("{name} may have the same item twice now"));
        }
        (false, true) => {
            let text = format!("{name} may no longer have the same item twice");
            report.note(Breaks::Writers, &pair.pointer, text);
        }
        _ => {}
    }
}

/// A keyword of which only equality can be told. Added it restricts, removed it frees, changed it may do both.
fn changed(report: &mut Report<'_>, pair: &Pair, keyword: &str) {
    let (old, new, name) = (pair.old.get(keyword), pair.new.get(keyword), &pair.name);
    if old == new && old.is_none_or(|value| report.refers_to_same(value)) {
        return;
    }
    // Patterns and formats as they are; a schema would be too long.
    let word = |value: &Value| value.as_str().map_or_else(|| shown(value), quoted);
    let is_simple = |value: Option<&Value>| value.is_none_or(|value| !value.is_object() && !value.is_array());
    let known = matches!(keyword, "pattern" | "format" | "multipleOf");
    let (breaks, text) = match (old, new) {
        (Some(old), None) if known => {
            (Breaks::Readers, format!("{name} has no {keyword} any more; it was {}", word(old)))
        }
        (None, Some(new)) if known => (Breaks::Writers, format!("{name} has a {keyword} now: {}", word(new))),
        (Some(old), Some(new)) if is_simple(Some(old)) && is_simple(Some(new)) => {
            (Breaks::Both, format!("the {keyword} of {name} changed from {} to {}", word(old), word(new)))
        }
        _ => (
            Breaks::Both,
            format!("{} of {name} changed, and what that breaks cannot be told", quoted(keyword)),
        ),
    };
    report.note(breaks, &format!("{}/{keyword}", pair.pointer), text);
}
