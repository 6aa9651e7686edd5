//! Two events have the same digest only if they are the same: otherwise one of them is answered as a repeat, and lost.

use std::collections::HashMap;

use incident::ingest::Incoming;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::any::value;
use super::{event, places, publish, refusal, started};
use crate::harness::Local;

fn digest(data: &Value) -> [u8; 32] {
    let event = event("a", "1", "system_metrics", &json!({ "metrics": data }));
    Incoming::from_value(event).unwrap().digest()
}

#[tokio::test]
async fn another_event_under_the_same_name_is_never_taken_for_a_repeat() {
    let server = Local::start().await;
    places(&publish(server.address, &[started("a", "0")]).await);
    for (name, (first, other)) in [
        (json!({ "a": 1, "c1234567890": 2 }), json!({ "a": 11, "c": 12_345_678_902_u64 })),
        (json!({ "a": 1 }), json!({ "a": 1.000_001 })),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("m{name}");
        let sample = |metrics: Value| event("a", &name, "system_metrics", &json!({ "metrics": metrics }));
        places(&publish(server.address, &[sample(first)]).await);
        let reply = publish(server.address, &[sample(other)]).await;
        assert_eq!(reply.status, 409, "{}", reply.body);
        assert_eq!(refusal(&reply).0, "id-reused");
    }
}

/// Another library may have written the number when the event is sent again.
#[tokio::test]
async fn a_number_that_is_written_in_another_way_is_the_same() {
    let server = Local::start().await;
    places(&publish(server.address, &[started("a", "0")]).await);
    let sample = |value: Value| event("a", "m", "system_metrics", &json!({ "metrics": { "x": value } }));
    let first = places(&publish(server.address, &[sample(json!(1))]).await);
    for same in ["1.0", "1e0", "10e-1"] {
        let value: Value = serde_json::from_str(same).unwrap();
        assert_eq!(places(&publish(server.address, &[sample(value)]).await)[0].0, first[0].0, "{same}");
    }
    for (one, other) in
        [(json!(0), json!(-0.0)), (json!(-3), json!(-3.0)), (json!(1e15), json!(1_000_000_000_000_000_u64))]
    {
        assert_eq!(digest(&json!({ "x": one })), digest(&json!({ "x": other })), "{one} and {other}");
    }
    // Beyond 2^53 a floating point number stands for several whole ones.
    assert_ne!(
        digest(&json!({ "x": 9_007_199_254_740_993_u64 })),
        digest(&json!({ "x": 9_007_199_254_740_992.0 }))
    );
}

/// All values of a small alphabet whose texts run into each other unless each has an end.
#[test]
fn no_two_small_values_have_the_same_digest() {
    let leaves = [
        json!(1),
        json!(11),
        json!(2),
        json!(-1),
        json!(12_345_678_902_u64),
        json!(1.5),
        json!(null),
        json!(true),
        json!(""),
        json!("1"),
        json!("a1"),
        json!("null"),
    ];
    let names = ["", "1", "a", "c", "c1234567890", "1:a"];
    let members: Vec<(&str, &Value)> =
        names.iter().flat_map(|name| leaves.iter().map(move |leaf| (*name, leaf))).collect();
    let mut values: Vec<Value> = leaves.to_vec();
    values.push(json!({}));
    values.push(json!([]));
    for (place, (name, leaf)) in members.iter().enumerate() {
        values.push(json!({ *name: leaf }));
        values.push(json!({ "n": { *name: leaf } }));
        for (other, second) in members.iter().skip(place + 1).filter(|(other, _)| other != name) {
            values.push(json!({ *name: leaf, *other: second }));
            values.push(json!({ "n": { *name: leaf }, *other: second }));
        }
    }
    for first in &leaves {
        values.push(json!([first]));
        values.push(json!([[first]]));
        for second in &leaves {
            values.push(json!([first, second]));
            values.push(json!([[first], second]));
            values.push(json!([[first, second]]));
        }
    }
    let mut known: HashMap<[u8; 32], Value> = HashMap::new();
    for value in values {
        let digest = digest(&value);
        if let Some(other) = known.get(&digest) {
            assert_eq!(*other, value, "one digest for two values");
        }
        known.insert(digest, value);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn digests_are_equal_only_for_equal_values(values in prop::collection::vec(value(), 2..12)) {
        for (place, one) in values.iter().enumerate() {
            for other in &values[place..] {
                // The text of a number counts: -0.0 is not 0.0.
                let (text, other_text) = (one.to_string(), other.to_string());
                prop_assert_eq!(digest(one) == digest(other), text == other_text);
            }
        }
    }
}
