//! Payloads are read by a short way that skips the JSON Schema. What passes there has to match the schema.

use incident::check::{Context, Judge, MAIN, Reader, Verdict};
use incident::contract::{MessageType, schema};
use incident::json_schema::Schema;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::harness::fixtures;

/// One change of a payload: which place, how, and with what.
type Change = (prop::sample::Index, u8, usize);

fn values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(0.5),
        json!(1.5),
        json!(1.0),
        json!(-0.0),
        json!(1e300),
        json!(u64::MAX),
        json!(4_294_967_296_u64),
        json!(9_007_199_254_740_993_u64),
        json!(""),
        json!("x"),
        json!("USD"),
        json!("completed"),
        json!("2026-11-22T10:00:00Z"),
        json!("2026-11-22T23:59:60Z"),
        json!("2026-11-22T10:00:00"),
        json!("2026-11-22 10:00:00Z"),
        json!([]),
        json!([1]),
        json!(["detected"]),
        json!({}),
        json!({ "kind": "reset", "from": 1, "to": 0, "reason": "ahead" }),
    ]
}

/// All places in a value, as JSON pointers.
pub fn places(value: &Value, place: &str, found: &mut Vec<String>) {
    found.push(place.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| places(item, &format!("{place}/{n}"), found));
        }
        Value::Object(map) => {
            map.iter().for_each(|(key, item)| places(item, &format!("{place}/{key}"), found));
        }
        _ => {}
    }
}

fn change(data: &mut Value, (place, how, what): &Change) {
    let mut all = Vec::new();
    places(data, "", &mut all);
    let place = place.get(&all);
    let value = values().swap_remove(what % values().len());
    let (parent, key) = place.rsplit_once('/').unwrap_or_default();
    match (how % 4, data.pointer_mut(parent)) {
        (0, Some(Value::Object(map))) if !place.is_empty() => drop(map.remove(key)),
        (1, Some(Value::Object(map))) if !place.is_empty() => {
            let old = map.remove(key).unwrap_or_default();
            map.insert(format!("{key}_"), old);
        }
        (2, Some(Value::Object(map))) => drop(map.insert("more".to_owned(), value)),
        _ => {
            if let Some(place) = data.pointer_mut(place) {
                *place = value;
            }
        }
    }
}

#[test]
fn what_is_read_the_short_way_matches_the_schema() {
    let reader = Reader::new();
    let golden: Vec<Value> =
        fixtures("messages").iter().map(|(_, text)| serde_json::from_str(text).unwrap()).collect();
    assert!(golden.len() >= 6);
    let compiled = |event: &Value| {
        let kind = MessageType::from_name(event["type"].as_str().unwrap()).unwrap();
        Schema::compile(&schema::payload(kind)).unwrap()
    };
    let golden: Vec<(Value, Schema)> = golden
        .into_iter()
        .map(|event| {
            let schema = compiled(&event);
            (event, schema)
        })
        .collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<usize>()), 1..4);
    let config = ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&(0..golden.len(), changes), |(which, changes)| {
        let (mut event, schema) = (golden[which].0.clone(), &golden[which].1);
        for one in &changes {
            change(&mut event["data"], one);
        }
        let mut judge = Judge::new(Context::default(), false, |rule| rule == "envelope" || rule == "schema");
        judge.take(MAIN, reader.read(1, None, &event.to_string()));
        let rules = judge.finish().rules;
        let passes = rules.iter().all(|(_, verdict)| matches!(verdict, Verdict::Passed(_)));
        let mismatch = schema.mismatch(&event["data"]);
        prop_assert!(!passes || mismatch.is_none(), "{} passes, but {mismatch:?}", event["data"]);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// Of each kind of message, each attribute, left out or with another value.
#[test]
fn an_envelope_that_passes_matches_the_schema() {
    let reader = Reader::new();
    let schema = Schema::compile(&schema::document()).unwrap();
    for (_, text) in fixtures("messages") {
        let event: Value = serde_json::from_str(&text).unwrap();
        // Unknown types pass: a later server may send them.
        let names = event.as_object().unwrap().keys().filter(|name| *name != "type");
        for (name, value) in names
            .flat_map(|name| values().into_iter().map(Some).chain([None]).map(move |value| (name, value)))
        {
            let mut event = event.clone();
            match value {
                Some(value) => event[name] = value,
                None => drop(event.as_object_mut().unwrap().remove(name)),
            }
            let mut judge =
                Judge::new(Context::default(), false, |rule| rule == "envelope" || rule == "schema");
            judge.take(MAIN, reader.read(1, None, &event.to_string()));
            let passes =
                judge.finish().rules.iter().all(|(_, verdict)| matches!(verdict, Verdict::Passed(_)));
            let mismatch = schema.mismatch(&event);
            assert!(!passes || mismatch.is_none(), "{name}: {event} passes, but {mismatch:?}");
        }
    }
}
