//! One fault is blamed on one rule, also where it makes other figures wrong.

use serde_json::json;

use super::sound::sound;

fn blamed(break_it: impl FnOnce(&mut super::sound::Stream)) -> Vec<(&'static str, String)> {
    let mut stream = sound();
    break_it(&mut stream);
    stream.failures()
}

#[test]
fn a_single_wrong_position_is_not_also_a_gap() {
    for wrong in [5_000_u64, 1] {
        let failures = blamed(|stream| {
            let place = stream.events()[40];
            let right: u64 = stream.frames[place].0["id"].as_str().unwrap().parse().unwrap();
            let id = if wrong == 1 { right + 1 } else { wrong };
            stream.frames[place].0["id"] = id.to_string().into();
        });
        let names: Vec<&str> = failures.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["order"], "{wrong}: {failures:?}");
        assert!(failures[0].1.contains("; expected 41"), "{failures:?}");
    }
}

#[test]
fn a_milestone_that_is_set_too_early_is_not_also_a_wrong_duration() {
    let failures = blamed(|stream| {
        let place = stream.events()[2];
        let first =
            stream.events().into_iter().find(|place| stream.frames[*place].0["data"]["agent"].is_string());
        let place = first.unwrap_or(place);
        stream.data(place)["marks"] = json!(["detected", "mitigated"]);
    });
    let names: Vec<&str> = failures.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["lifecycle"], "{failures:?}");
}
