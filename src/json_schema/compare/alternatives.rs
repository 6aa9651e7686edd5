//! Alternatives (`oneOf`, `anyOf`): the types of messages, and values of which there are several kinds.

use serde_json::Value;

use super::super::words::quoted;
use super::change::Breaks;
use super::report::{Pair, Report};
use super::shape::{At, Shape, bare};

/// One alternative: where it stands, and what it is found by in the other version.
struct Alternative {
    at: At,
    shape: Shape,
    name: String,
}

pub(super) fn compare(report: &mut Report<'_>, pair: &Pair) {
    let read = |shape: &Shape, follow: &dyn Fn(At) -> Shape| -> Vec<Shape> {
        // A schema without alternatives has one: itself.
        let own = [shape.at.clone()];
        let all = if shape.alternatives.is_empty() { &own } else { shape.alternatives.as_slice() };
        all.iter().cloned().map(follow).collect()
    };
    let old = read(&pair.old, &|at| report.old_shape(at));
    let new = read(&pair.new, &|at| report.new_shape(at));
    let field = discriminator(&old, &new);
    let named = |shapes: Vec<Shape>, at: &dyn Fn(usize) -> At| -> Vec<Alternative> {
        let named = |(index, shape): (usize, Shape)| Alternative {
            name: name(&shape, field.as_deref(), index),
            at: at(index),
            shape,
        };
        shapes.into_iter().enumerate().map(named).collect()
    };
    let at = |shape: &Shape, index: usize| shape.alternatives.get(index).unwrap_or(&shape.at).clone();
    let old = named(old, &|index| at(&pair.old, index));
    let mut new = named(new, &|index| at(&pair.new, index));
    let is_message = pair.pointer.is_empty();
    for before in old {
        let same = new.iter().position(|after| after.name == before.name).or_else(|| {
            new.iter().position(|after| bare(&after.shape.at.schema) == bare(&before.shape.at.schema))
        });
        if let Some(index) = same {
            let after = new.remove(index);
            report.schemas(before.at, after.at, &quoted(&before.name));
            continue;
        }
        let name = quoted(&before.name);
        let text = if is_message {
            format!("the message {name} was removed")
        } else {
            format!("{} may no longer be {name}", pair.name)
        };
        let breaks = if is_message { Breaks::Both } else { Breaks::Writers };
        report.note(breaks, &before.at.pointer, text);
    }
    for after in new {
        let name = quoted(&after.name);
        let (breaks, text) = if is_message {
            (Breaks::Nothing, format!("the message {name} is new"))
        } else {
            (Breaks::Readers, format!("{} may now also be {name}", pair.name))
        };
        report.note(breaks, &after.at.pointer, text);
    }
}

/// The field that has another fixed value in each alternative of a version: `type`, or `kind`.
fn discriminator(old: &[Shape], new: &[Shape]) -> Option<String> {
    let fields = old.first()?.get("properties")?.as_object()?;
    let tells_apart = |shapes: &[Shape], field: &str| {
        let mut values: Vec<&Value> = Vec::new();
        shapes.iter().all(|shape| match fixed(shape, field) {
            Some(value) if !values.contains(&value) => {
                values.push(value);
                true
            }
            _ => false,
        })
    };
    let mut found = fields.keys().filter(|field| tells_apart(old, field) && tells_apart(new, field));
    found.next().cloned()
}

fn fixed<'s>(shape: &'s Shape, field: &str) -> Option<&'s Value> {
    let field = shape.get("properties")?.get(field)?;
    match (field.get("const"), field.get("enum").and_then(Value::as_array).map(Vec::as_slice)) {
        (Some(value), _) | (None, Some([value])) => Some(value),
        _ => None,
    }
}

/// What an alternative is called, and found by in the other version.
fn name(shape: &Shape, field: Option<&str>, index: usize) -> String {
    let value = field.and_then(|field| fixed(shape, field));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let title = || shape.get("title").and_then(Value::as_str).map(str::to_owned);
    let definition = || shape.definition.clone();
    value.map(text).or_else(definition).or_else(title).unwrap_or_else(|| format!("alternative {}", index + 1))
}
