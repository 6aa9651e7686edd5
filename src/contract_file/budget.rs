//! How often a contract judges one value: parts that many others refer to are judged once for each way that leads to them.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::document::Document;
use super::files::{Files, Place};
use crate::json_schema::pointer::join;

/// How many schemas may judge one value. Forty schemas, each of which names the next one twice, would be 10^12.
const MOST: u64 = 20_000;

/// Keywords with a list of schemas for the same value.
const LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Keywords with one schema for the same value.
const SINGLE: [&str; 4] = ["not", "if", "then", "else"];

/// Keywords with schemas for the same value, by the name of a field.
const NAMED: [&str; 2] = ["dependentSchemas", "dependencies"];

/// A place, as a key.
pub(super) type Key = (*const Document, String);

/// What is known of a place.
#[derive(Clone, Copy, PartialEq)]
enum Cost {
    /// It is being counted: a reference back to it is another fault.
    Open,
    Known(u64),
}

/// A place that is being counted.
struct Counting {
    place: Place,
    left: Vec<Place>,
    sum: u64,
}

impl Files {
    /// The first schema by which one value would be judged more than [`MOST`] times, by itself or by its parts. Each schema is
    /// counted once.
    pub(super) fn too_costly(&self) -> Option<Place> {
        let documents = self.documents();
        let (mut starts, mut anchors) = (Vec::new(), HashMap::new());
        for document in &documents {
            visit(document, &document.value, &mut String::new(), &mut starts, &mut anchors);
        }
        let mut costs = HashMap::new();
        starts.into_iter().find_map(|start| self.count(start, &anchors, &mut costs))
    }

    /// The objects that have an anchor.
    pub(super) fn anchors(&self) -> HashMap<Key, Place> {
        let (mut starts, mut anchors) = (Vec::new(), HashMap::new());
        for document in &self.documents() {
            visit(document, &document.value, &mut String::new(), &mut starts, &mut anchors);
        }
        anchors
    }

    fn count(
        &self,
        start: Place,
        anchors: &HashMap<Key, Place>,
        costs: &mut HashMap<Key, Cost>,
    ) -> Option<Place> {
        let begin = |place: Place| Counting { left: self.parts(&place, anchors), place, sum: 1 };
        if costs.contains_key(&key(&start)) {
            return None;
        }
        costs.insert(key(&start), Cost::Open);
        let mut path = vec![begin(start)];
        while let Some(last) = path.last_mut() {
            let Some(next) = last.left.pop() else {
                let (at, sum) = (key(&last.place), last.sum);
                if sum > MOST {
                    return path.pop().map(|last| last.place);
                }
                costs.insert(at, Cost::Known(sum));
                path.pop();
                if let Some(above) = path.last_mut() {
                    above.sum = above.sum.saturating_add(sum);
                }
                continue;
            };
            match costs.get(&key(&next)) {
                Some(Cost::Known(cost)) => last.sum = last.sum.saturating_add(*cost),
                Some(Cost::Open) => {}
                None => {
                    costs.insert(key(&next), Cost::Open);
                    path.push(begin(next));
                }
            }
        }
        None
    }

    /// The schemas that judge the same value as this one.
    pub(super) fn parts(&self, schema: &Place, anchors: &HashMap<Key, Place>) -> Vec<Place> {
        let target = |keyword: &str| {
            let reference = schema.get(keyword).and_then(Value::as_str)?;
            let anchor =
                reference.strip_prefix('#').filter(|name| !name.is_empty() && !name.starts_with('/'));
            match anchor {
                Some(name) => anchors.get(&(Rc::as_ptr(&schema.document), name.to_owned())).cloned(),
                // What leads nowhere is told by the compiler.
                None => self.lookup(schema, reference).ok(),
            }
        };
        let references = ["$ref", "$dynamicRef", "$recursiveRef"].into_iter().filter_map(target);
        let lists = LISTS.into_iter().flat_map(|keyword| schema.items(keyword));
        let single = SINGLE.into_iter().filter_map(|keyword| schema.at(keyword));
        let named = NAMED.into_iter().flat_map(|keyword| schema.members(keyword)).map(|(_, part)| part);
        references.chain(lists).chain(single).chain(named).collect()
    }
}

fn key(place: &Place) -> Key {
    (Rc::as_ptr(&place.document), place.pointer.clone())
}

/// The objects of a document that have parts for the same value, and those that have an anchor. The objects of examples are
/// among them, which does no harm.
fn visit(
    document: &Rc<Document>,
    value: &Value,
    pointer: &mut String,
    starts: &mut Vec<Place>,
    anchors: &mut HashMap<Key, Place>,
) {
    let length = pointer.len();
    match value {
        Value::Object(object) => {
            let place = || Place { document: document.clone(), pointer: pointer.clone() };
            if LISTS.iter().chain(&["if", "$ref", "dependentSchemas"]).any(|name| object.contains_key(*name))
            {
                starts.push(place());
            }
            for keyword in ["$anchor", "$dynamicAnchor"] {
                if let Some(name) = object.get(keyword).and_then(Value::as_str) {
                    anchors.insert((Rc::as_ptr(document), name.to_owned()), place());
                }
            }
            for (name, member) in object {
                *pointer = join(pointer, name);
                visit(document, member, pointer, starts, anchors);
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                *pointer += &format!("/{index}");
                visit(document, item, pointer, starts, anchors);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}
