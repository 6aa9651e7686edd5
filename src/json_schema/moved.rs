//! Where the parts of a document stand after it was written anew for the validator.

use serde_json::Value;

use super::positions::{has_names, is_data};

/// Pointers into the whole document, and to what they lead in the new one.
#[derive(Debug, Default)]
pub(super) struct Moved(Vec<(String, String)>);

impl Moved {
    pub(super) fn add(&mut self, from: String, to: String) {
        self.0.push((from, to));
    }

    /// Where what a pointer into the whole document leads to stands now.
    pub(super) fn to(&self, pointer: &str) -> String {
        led(self.0.iter().map(|(from, to)| (from.as_str(), to.as_str())), pointer)
    }

    /// Where what a pointer into the new document leads to stands in the whole one.
    pub(super) fn back(&self, pointer: &str) -> String {
        led(self.0.iter().map(|(from, to)| (to.as_str(), from.as_str())), pointer)
    }
}

/// The pointer, with its longest beginning that is listed replaced.
fn led<'m>(moved: impl Iterator<Item = (&'m str, &'m str)>, pointer: &str) -> String {
    let around = moved.filter(|(from, _)| is_within(pointer, from));
    match around.max_by_key(|(from, _)| from.len()) {
        Some((from, to)) => format!("{to}{}", &pointer[from.len()..]),
        None => pointer.to_owned(),
    }
}

pub(super) fn is_within(pointer: &str, outer: &str) -> bool {
    pointer.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Replaces the references in a document for which there are others.
pub fn redirect(document: &mut Value, other: &dyn Fn(&str) -> Option<String>) {
    walk(document, false, other);
}

fn walk(value: &mut Value, is_map: bool, other: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut().filter(|(key, _)| is_map || !is_data(key)) {
                match value {
                    Value::String(to) if !is_map && key == "$ref" => {
                        if let Some(other) = other(to) {
                            *to = other;
                        }
                    }
                    _ => walk(value, !is_map && has_names(key), other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, false, other)),
        _ => {}
    }
}
