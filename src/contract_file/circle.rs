//! References of a contract that lead back to themselves.

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::Value;

use super::files::{Files, Place};
use crate::json_schema::positions;

impl Files {
    /// A reference that leads back to itself without a step into the value: no value can be judged by it.
    pub(super) fn circle(&self) -> Option<Place> {
        let documents = self.documents();
        let mut starts = Vec::new();
        for document in &documents {
            positions::visit(&document.value, &mut |schema, pointer| {
                if schema.get("$ref").is_some_and(Value::is_string) {
                    starts.push(Place { document: document.clone(), pointer: pointer.to_owned() });
                }
            });
        }
        let mut done = HashSet::new();
        starts.iter().find_map(|start| self.circle_from(start, &mut done))
    }

    fn circle_from(&self, start: &Place, done: &mut HashSet<(PathBuf, String)>) -> Option<Place> {
        let key = |place: &Place| (place.document.path.clone(), place.pointer.clone());
        if !done.insert(key(start)) {
            return None;
        }
        // What applies to the same value as a schema, and has not been followed yet.
        let mut path = vec![(start.clone(), self.beside(start))];
        while let Some((_, next)) = path.last_mut() {
            let Some(next) = next.pop() else {
                path.pop();
                continue;
            };
            if let Some(first) = path.iter().position(|(place, _)| key(place) == key(&next)) {
                let mut around = path.drain(first..).map(|(place, _)| place);
                return around.find(|place| place.get("$ref").is_some());
            }
            if done.insert(key(&next)) {
                let further = self.beside(&next);
                path.push((next, further));
            }
        }
        None
    }

    /// The schemas that judge the same value as this one, whatever it is.
    fn beside(&self, schema: &Place) -> Vec<Place> {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let target = reference.and_then(|reference| self.lookup(schema, reference).ok());
        let single = ["not", "if"].into_iter().filter_map(|keyword| schema.at(keyword));
        let all = schema.items("allOf").into_iter().chain(schema.items("oneOf"));
        target.into_iter().chain(single).chain(all).chain(schema.items("anyOf").into_iter().take(1)).collect()
    }
}
