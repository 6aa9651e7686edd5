//! The regular expressions of a document as the validator reads them. All of a contract share one budget: a few letters, as in
//! `\p{L}{1,999}`, can be a machine of megabytes, and thousands of those would take gigabytes and minutes.

use std::cell::Cell;
use std::collections::HashMap;

use serde_json::{Map, Value};

use super::pattern::{Reading, TOGETHER, read};
use super::positions::visit;

/// The most bytes that all expressions of a contract may take.
const MOST: usize = 256 << 20;

/// What is left for the expressions of a contract, in bytes.
#[derive(Debug)]
pub struct Budget(Cell<usize>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(MOST))
    }
}

/// How each expression of a document is read, and how many bytes the validator needs for it at the most.
#[derive(Debug, Default)]
pub struct Readings(HashMap<String, (Reading, usize)>);

impl Readings {
    /// Reads the expressions of a document. Each takes its part of the budget as often as it stands there: so often it is compiled.
    pub fn of(document: &Value, budget: &Budget) -> Self {
        let mut times = HashMap::<&str, usize>::new();
        let mut order = Vec::new();
        visit(document, &mut |schema, _| {
            for pattern in patterns(schema) {
                let times = times.entry(pattern).or_default();
                if *times == 0 {
                    order.push(pattern);
                }
                *times += 1;
            }
        });
        let readings = order.into_iter().map(|pattern| {
            let times = times.get(pattern).copied().unwrap_or(1);
            let left = budget.0.get();
            let (reading, size) = read(pattern, left / times);
            match &reading {
                Reading::Known(_) => budget.0.set(left - size * times),
                // Each further one would be compiled for nothing, up to what is left.
                Reading::Unsupported(why) if why == TOGETHER => budget.0.set(0),
                Reading::Unsupported(_) | Reading::Wrong => {}
            }
            (pattern.to_owned(), (reading, size))
        });
        Self(readings.collect())
    }

    /// How an expression of the document is read.
    pub(super) fn get(&self, pattern: &str) -> &Reading {
        self.0.get(pattern).map_or(&Reading::Wrong, |(reading, _)| reading)
    }

    /// An expression as the validator takes it, and how many bytes it needs for it at the most; `None` if it does not take it.
    pub fn known(&self, pattern: &str) -> Option<(&str, usize)> {
        match self.0.get(pattern)? {
            (Reading::Known(known), size) => Some((known, *size)),
            _ => None,
        }
    }

    /// Whether there is a regular expression that the validator does not know.
    pub fn lack(&self) -> bool {
        self.0.values().any(|(reading, _)| matches!(reading, Reading::Unsupported(_)))
    }
}

/// The regular expressions of a schema.
pub(super) fn patterns(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let own = schema.get("pattern").and_then(Value::as_str);
    let names = schema.get("patternProperties").and_then(Value::as_object);
    own.into_iter().chain(names.into_iter().flat_map(|names| names.keys().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_budget_has_no_room_for_is_left_out_and_so_is_what_follows() {
        let budget = Budget(Cell::new(1 << 20));
        let large = r"^\p{L}{1,9}$";
        let document = json!({ "allOf": [
            { "pattern": "^a" },
            { "pattern": large },
            { "pattern": r"^\p{L}{1,200}$" },
            { "pattern": "^b" },
        ] });
        let readings = Readings::of(&document, &budget);
        assert!(readings.known("^a").is_some() && readings.known(large).is_some(), "{readings:?}");
        for pattern in [r"^\p{L}{1,200}$", "^b"] {
            let Reading::Unsupported(why) = readings.get(pattern) else { panic!("{pattern}: {readings:?}") };
            assert_eq!(why, TOGETHER);
        }
        assert!(readings.lack());
        // In many places it is compiled many times.
        let many = vec![json!({ "pattern": large }); 1_000];
        assert!(Readings::of(&json!({ "allOf": many }), &Budget(Cell::new(8 << 20))).known(large).is_none());
    }
}
