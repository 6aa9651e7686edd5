//! How many schemas a contract has. Compiling them takes time with the square of their number.

use std::collections::HashSet;
use std::rc::Rc;

use serde_json::Value;

use super::files::{Files, Place};
use crate::json_schema::pointer::join;

/// The most schemas of a contract. They are compiled in about four seconds, three times as many in a minute.
const MOST: usize = 20_000;

/// Keywords with one schema, or with a list of them.
const SCHEMAS: [&str; 16] = [
    "allOf",
    "anyOf",
    "oneOf",
    "prefixItems",
    "items",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "contentSchema",
    "not",
    "if",
    "then",
    "else",
];

/// Keywords with schemas by names.
const NAMED: [&str; 4] = ["properties", "patternProperties", "dependentSchemas", "dependencies"];

const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// The schemas that were counted, and those of them that have not been looked into.
#[derive(Default)]
struct Counted {
    known: HashSet<(usize, String)>,
    left: Vec<Place>,
    /// The documents of which everything counts.
    whole: HashSet<usize>,
}

impl Counted {
    fn add(&mut self, place: Place) {
        let key = (Rc::as_ptr(&place.document) as usize, place.pointer.clone());
        if self.known.len() <= MOST && self.known.insert(key) {
            self.left.push(place);
        }
    }

    /// The document, and every object above a schema that a compiler begins with: it compiles these too.
    fn add_above(&mut self, place: &Place) {
        let ends = place.pointer.match_indices('/').map(|(end, _)| end);
        for end in ends {
            let above = Place { document: place.document.clone(), pointer: place.pointer[..end].to_owned() };
            if end == 0 || ["$id", "id"].iter().any(|key| above.get(key).is_some_and(Value::is_string)) {
                self.add(above);
            }
        }
    }
}

impl Files {
    /// The first of these schemas with which the contract has more than [`MOST`], with all that they lead to.
    pub(super) fn too_many(&self, schemas: Vec<Place>) -> Option<Place> {
        let mut counted = Counted::default();
        for schema in schemas {
            counted.add_above(&schema);
            counted.add(schema.clone());
            while let Some(place) = counted.left.pop() {
                self.look_into(&place, &mut counted);
            }
            if counted.known.len() > MOST {
                return Some(schema);
            }
        }
        None
    }

    fn look_into(&self, place: &Place, counted: &mut Counted) {
        for keyword in SCHEMAS {
            match place.get(keyword) {
                Some(Value::Array(_)) => place.items(keyword).into_iter().for_each(|item| counted.add(item)),
                Some(_) => place.at(keyword).into_iter().for_each(|one| counted.add(one)),
                None => {}
            }
        }
        for (_, one) in NAMED.into_iter().flat_map(|keyword| place.members(keyword)) {
            counted.add(one);
        }
        for reference in REFERENCES.into_iter().filter_map(|keyword| place.get(keyword)?.as_str()) {
            // Only the compiler knows anchors and where each `$id` is.
            let is_name =
                reference.strip_prefix('#').is_some_and(|name| !name.is_empty() && !name.starts_with('/'));
            match self.lookup(place, reference) {
                Ok(target) if !is_name => {
                    counted.add_above(&target);
                    counted.add(target);
                }
                _ if counted.whole.insert(Rc::as_ptr(&place.document) as usize) => {
                    add_all(place, &mut String::new(), &place.document.value, counted);
                }
                _ => {}
            }
        }
    }
}

/// Every object of a document: some of them may be what a reference leads to.
fn add_all(from: &Place, pointer: &mut String, value: &Value, counted: &mut Counted) {
    let length = pointer.len();
    match value {
        Value::Object(members) => {
            counted.add(Place { document: from.document.clone(), pointer: pointer.clone() });
            for (name, member) in members {
                *pointer = join(pointer, name);
                add_all(from, pointer, member, counted);
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                *pointer += &format!("/{index}");
                add_all(from, pointer, item, counted);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}
