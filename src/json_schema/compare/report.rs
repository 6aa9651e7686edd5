//! What is known while two versions are compared: the changes so far, and what is still to be compared.

use std::collections::HashSet;

use serde_json::Value;

use super::change::{Breaks, Change};
use super::shape::{At, Shape, bare};

/// The state of a comparison.
pub(super) struct Report<'a> {
    old: &'a Value,
    new: &'a Value,
    pub(super) changes: Vec<Change>,
    /// What the schemas that are being compared contain, in their order.
    pub(super) pending: Vec<Task>,
}

/// Two versions of a schema that are still to be compared.
pub(super) struct Task {
    pub(super) old: At,
    pub(super) new: At,
    /// Its name in sentences: the field in backticks.
    pub(super) name: String,
}

/// Two versions of one schema.
pub(super) struct Pair {
    pub(super) old: Shape,
    pub(super) new: Shape,
    /// Its name in sentences: the field, or the definition, in backticks.
    pub(super) name: String,
    /// Where it stands in the old version.
    pub(super) pointer: String,
}

impl<'a> Report<'a> {
    pub(super) fn new(old: &'a Value, new: &'a Value) -> Self {
        Self { old, new, changes: Vec::new(), pending: Vec::new() }
    }

    /// Notes a difference.
    pub(super) fn note(&mut self, breaks: Breaks, pointer: &str, text: String) {
        self.changes.push(Change { pointer: pointer.to_owned(), text, breaks });
    }

    /// Compares two schemas later.
    pub(super) fn schemas(&mut self, old: At, new: At, name: &str) {
        self.pending.push(Task { old, new, name: name.to_owned() });
    }

    /// Whether everything that a part of both versions refers to is the same in both.
    pub(super) fn refers_to_same(&self, part: &Value) -> bool {
        let (mut open, mut seen) = (vec![part], HashSet::new());
        while let Some(value) = open.pop() {
            match value {
                Value::Array(items) => open.extend(items),
                Value::Object(object) => {
                    open.extend(object.values());
                    let reference = object.get("$ref").and_then(Value::as_str);
                    let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
                    let Some(pointer) = pointer.filter(|pointer| seen.insert(*pointer)) else { continue };
                    match (self.old.pointer(pointer), self.new.pointer(pointer)) {
                        (Some(old), Some(new)) if bare(old) == bare(new) => open.push(old),
                        (None, None) => {}
                        _ => return false,
                    }
                }
                _ => {}
            }
        }
        true
    }

    /// The shape of a schema of the old version.
    pub(super) fn old_shape(&self, at: At) -> Shape {
        Shape::of(self.old, at)
    }

    /// The shape of a schema of the new version.
    pub(super) fn new_shape(&self, at: At) -> Shape {
        Shape::of(self.new, at)
    }
}
