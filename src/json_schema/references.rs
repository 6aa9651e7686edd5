//! References of schemas: what stands beside them, and whether they lead to a regular expression that the validator does not know.

use std::collections::BTreeSet;

use boon::Draft;
use serde_json::{Map, Value};

use super::moved::is_within;
use super::percent::decode;
use super::positions::visit;

/// Keywords that the validator judges beside a reference although the draft says that they are ignored there.
pub(super) const BESIDE: [&str; 6] = ["const", "contains", "propertyNames", "if", "then", "else"];

/// Whether a document is of a draft in which everything beside a reference is ignored, and that has such keywords.
pub(super) fn refers_alone(document: &Value, draft: Draft) -> bool {
    matches!(draft_of(document, draft), Draft::V6 | Draft::V7)
}

/// The draft that a document names, or else this one.
pub(super) fn draft_of(document: &Value, draft: Draft) -> Draft {
    let own = document.get("$schema").and_then(Value::as_str);
    own.and_then(Draft::from_url).unwrap_or(draft)
}

pub(super) fn is_reference(schema: &Map<String, Value>) -> bool {
    schema.get("$ref").is_some_and(Value::is_string)
}

/// References to other documents, and whether one of them leads to what is not known.
pub(super) fn refers_to_unknown(document: &Value, elsewhere: &dyn Fn(&str) -> bool) -> bool {
    let mut found = false;
    visit(document, &mut |schema, _| {
        let reference = schema.get("$ref").and_then(Value::as_str);
        found = found || reference.is_some_and(|to| !to.starts_with('#') && elsewhere(to));
    });
    found
}

/// Adds the schemas that refer to those with an expression that is not known.
pub(super) fn spread(document: &Value, unknown: &mut BTreeSet<String>, elsewhere: &dyn Fn(&str) -> bool) {
    let mut references = Vec::new();
    visit(document, &mut |schema, pointer| {
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let Some(to) = schema.get(keyword).and_then(Value::as_str) else { continue };
            match to.strip_prefix('#') {
                // An anchor may be anywhere.
                Some(to) if to.starts_with('/') => references.push((pointer.to_owned(), decode(to))),
                Some(_) => references.push((pointer.to_owned(), String::new())),
                None if elsewhere(to) => {
                    unknown.insert(pointer.to_owned());
                }
                None => {}
            }
        }
    });
    loop {
        let before = references.len();
        references.retain(|(from, to)| {
            let leads = unknown.iter().any(|place| is_within(place, to));
            if leads {
                unknown.insert(from.clone());
            }
            !leads
        });
        if references.len() == before {
            return;
        }
    }
}
