//! How often a contract judges the parts of one message. A schema that leads to itself by two ways through the same field is judged
//! twice at each level of a message, so that forty levels would be 10^12.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use regex::Regex;
use serde_json::Value;

use super::files::{Files, Place};

/// How many schemas may judge one message with its parts, and how many more for each of its parts. What a mistake says takes 2 kB.
const MOST: u64 = 100_000;
const MORE: u64 = 100;

/// An expression of more bytes than these may be slow: it is followed state by state at each letter.
const SLOW: usize = 1 << 20;

/// So many bytes of an expression, times bytes of a text, are one step.
const STEP: u64 = 300_000;

/// The number of a schema.
type Number = usize;

/// What a schema leads to.
#[derive(Default)]
struct Leads {
    /// Schemas for the same value.
    same: Vec<Number>,
    fields: BTreeMap<String, Number>,
    /// With the bytes that are counted for each letter of a name.
    patterns: Vec<(Regex, u64, Number)>,
    /// The bytes that are counted for each letter of a text.
    pattern: u64,
    /// For fields that are in none of the above.
    other_fields: Vec<Number>,
    /// For the first items, each its own.
    first: Vec<Number>,
    other_items: Vec<Number>,
    items: Vec<Number>,
}

/// The schemas of a contract and what each of them leads to.
pub(super) struct Effort {
    schemas: Vec<Leads>,
    /// Those that judge whole messages.
    roots: Vec<Number>,
}

impl Effort {
    /// What has to be counted for each message; `None` if no message can take long.
    pub(super) fn of(files: &Files, roots: impl Iterator<Item = Place>) -> Option<Self> {
        let anchors = files.anchors();
        let mut numbers = HashMap::new();
        let mut places = Vec::new();
        let mut number = |place: Place, places: &mut Vec<Place>| {
            let key = (Rc::as_ptr(&place.document), place.pointer.clone());
            *numbers.entry(key).or_insert_with(|| {
                places.push(place);
                places.len() - 1
            })
        };
        let roots: Vec<Number> = roots.map(|place| number(place, &mut places)).collect();
        let mut schemas = Vec::new();
        while let Some(place) = places.get(schemas.len()).cloned() {
            let mut all = |found: Vec<Place>| -> Vec<Number> {
                found.into_iter().map(|place| number(place, &mut places)).collect()
            };
            let lists = ["prefixItems", "items"].into_iter().flat_map(|keyword| place.items(keyword));
            let single = |keywords: &[&str]| {
                let is_list = |keyword: &&str| place.get(keyword).is_some_and(Value::is_array);
                let keywords = keywords.iter().filter(|keyword| !is_list(keyword));
                keywords.filter_map(|keyword| place.at(keyword)).collect::<Vec<_>>()
            };
            let named = |keyword: &str| place.members(keyword).into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
            let ((fields, of_fields), (patterns, of_patterns)) =
                (named("properties"), named("patternProperties"));
            // What this program can't read is not checked.
            let readings = files.readings(&place.document);
            let patterns = patterns.iter().map(|pattern| {
                let (known, size) = readings.known(pattern)?;
                Some((Regex::new(known).ok()?, slow(size)))
            });
            let pattern = place.get("pattern").and_then(Value::as_str);
            let pattern = pattern.and_then(|pattern| readings.known(pattern));
            schemas.push(Leads {
                same: all(files.parts(&place, &anchors)),
                fields: fields.into_iter().zip(all(of_fields)).collect(),
                patterns: patterns
                    .zip(all(of_patterns))
                    .filter_map(|(known, to)| known.map(|(regex, bytes)| (regex, bytes, to)))
                    .collect(),
                pattern: pattern.map_or(0, |(_, size)| slow(size)),
                other_fields: all(single(&["additionalProperties", "unevaluatedProperties"])),
                first: all(lists.collect()),
                other_items: all(single(&["items", "additionalItems", "unevaluatedItems"])),
                items: all(single(&["contains"])),
            });
        }
        let effort = Self { schemas, roots };
        let mut known = vec![None; effort.schemas.len()];
        let is_short = effort.roots.iter().all(|root| effort.longest(*root, &mut known) <= MORE);
        let is_slow =
            |leads: &Leads| leads.pattern > 0 || leads.patterns.iter().any(|(_, bytes, _)| *bytes > 0);
        (!is_short || effort.schemas.iter().any(is_slow)).then_some(effort)
    }

    /// How many schemas judge one value and a part of it by each way that leads there: without end if a schema leads to itself.
    fn longest(&self, schema: Number, known: &mut [Option<u64>]) -> u64 {
        if let Some(known) = known[schema] {
            return known;
        }
        known[schema] = Some(u64::MAX);
        let leads = &self.schemas[schema];
        let parts = leads.fields.values().chain(leads.patterns.iter().map(|(_, _, to)| to));
        let parts = parts.chain(&leads.other_fields).chain(&leads.first).chain(&leads.other_items);
        let all = leads.same.iter().chain(parts).chain(&leads.items);
        let sum = all.fold(1_u64, |sum, to| sum.saturating_add(self.longest(*to, known)));
        known[schema] = Some(sum);
        sum
    }

    /// Whether judging a message would take too long: then how many steps are allowed for it.
    pub(super) fn exceeded(&self, message: &Value) -> Option<u64> {
        let allowed = MOST + MORE * parts(message);
        let mut known = HashMap::new();
        let too_long = |root: &Number| self.steps(*root, message, allowed, &mut known) > allowed;
        self.roots.iter().any(too_long).then_some(allowed)
    }

    /// How many schemas judge a value and its parts. Each pair of a schema and a value is counted once.
    fn steps(
        &self,
        schema: Number,
        value: &Value,
        allowed: u64,
        known: &mut HashMap<(Number, *const Value), u64>,
    ) -> u64 {
        let key = (schema, std::ptr::from_ref(value));
        if let Some(steps) = known.get(&key) {
            return *steps;
        }
        // A circle without a step into the value ends here.
        known.insert(key, 0);
        let leads = &self.schemas[schema];
        let mut sum = 1_u64.saturating_add(leads.matching(value));
        // What is beyond the limit is not followed: its names are not even compared.
        let mut add = |to: Number, part: &Value| {
            if sum <= allowed {
                sum = sum.saturating_add(self.steps(to, part, allowed, known));
            }
            sum <= allowed
        };
        if !leads.same.iter().all(|to| add(*to, value)) {
            return sum;
        }
        match value {
            Value::Object(members) => {
                for (name, part) in members {
                    let own = leads.fields.get(name).copied();
                    let patterns = leads.patterns.iter().filter(|(regex, _, _)| regex.is_match(name));
                    let named: Vec<Number> = own.into_iter().chain(patterns.map(|(_, _, to)| *to)).collect();
                    let judges = if named.is_empty() { &leads.other_fields } else { &named };
                    if !judges.iter().all(|to| add(*to, part)) {
                        return sum;
                    }
                }
            }
            Value::Array(items) => {
                for (index, part) in items.iter().enumerate() {
                    let own = leads.first.get(index).map_or(&leads.other_items[..], std::slice::from_ref);
                    if !own.iter().chain(&leads.items).all(|to| add(*to, part)) {
                        return sum;
                    }
                }
            }
            _ => {}
        }
        known.insert(key, sum);
        sum
    }
}

impl Leads {
    /// The steps for which the expressions of a schema are followed in a value.
    fn matching(&self, value: &Value) -> u64 {
        let bytes = match value {
            Value::String(text) => self.pattern.saturating_mul(text.len() as u64),
            Value::Object(members) => {
                let bytes = self.patterns.iter().fold(0_u64, |sum, (_, bytes, _)| sum.saturating_add(*bytes));
                bytes.saturating_mul(members.keys().map(|name| name.len() as u64).sum())
            }
            _ => 0,
        };
        bytes / STEP
    }
}

/// What of the size of an expression is counted.
fn slow(size: usize) -> u64 {
    if size > SLOW { size as u64 } else { 0 }
}

/// How many values a value has with all its parts.
fn parts(value: &Value) -> u64 {
    match value {
        Value::Object(members) => 1 + members.values().map(parts).sum::<u64>(),
        Value::Array(items) => 1 + items.iter().map(parts).sum::<u64>(),
        _ => 1,
    }
}
