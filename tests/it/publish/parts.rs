//! With `?partial=true` each event is judged by itself, whatever is wrong with it; without, the refusal names the event that is
//! wrong.

use serde_json::{Value, json};

use super::{action, event, places, publish, publish_parts, refusal, started};
use crate::harness::{Http, Local, Reply, Serving};

/// A sample that is no larger than an event may be, until the server adds its fields.
fn too_large_once_stored(subject: &str, id: &str) -> Value {
    let mut sample = event(subject, id, "system_metrics", &json!({ "metrics": {} }));
    // Each takes as many bytes: "m00000":1,
    let many = (65_536 - 10 - sample.to_string().len()) / 11;
    let metrics = (0..many).map(|number| (format!("m{number:05}"), json!(1))).collect();
    sample["data"]["metrics"] = Value::Object(metrics);
    assert!((65_500..=65_536).contains(&sample.to_string().len()));
    sample
}

/// What became of each event: its index, or the kind of its problem with the pointer and the number of the event.
fn outcomes(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let results = reply.json()["results"].as_array().unwrap().clone();
    let told = results.iter().map(|result| match result["problem"].as_object() {
        None => format!("{}{}", result["index"], if result["duplicate"] == true { " again" } else { "" }),
        Some(problem) => {
            let error = &problem["errors"][0];
            let kind = problem["type"].as_str().unwrap().trim_start_matches("/problems/");
            format!("{kind} {} {}", error["index"], error["pointer"].as_str().unwrap())
        }
    });
    told.collect()
}

/// A refusal of the whole request: its kind, and the number and pointer of its first error.
fn refused(reply: &Reply) -> (String, u64, String) {
    let error = &reply.json()["errors"][0];
    let pointer = error["pointer"].as_str().unwrap().to_owned();
    (refusal(reply).0, error["index"].as_u64().unwrap(), pointer)
}

#[tokio::test]
async fn an_event_that_is_too_large_only_when_it_is_stored_refuses_no_other() {
    let server = Local::start().await;
    places(&publish(server.address, &[started("a", "0")]).await);
    let batch = |round: &str| {
        let id = |name: &str| format!("{name}{round}");
        [
            action("a", &id("x"), "before"),
            too_large_once_stored("a", &id("y")),
            action("a", &id("z"), "after"),
        ]
    };
    let whole = publish(server.address, &batch("1")).await;
    assert_eq!((whole.status, server.journal_head()), (413, 1), "{}", whole.body);
    assert_eq!(refused(&whole), ("too-large".to_owned(), 1, String::new()));
    let parts = publish_parts(server.address, &batch("2")).await;
    assert_eq!(outcomes(&parts), ["2", "too-large 1 ", "3"]);
}

/// The server adds more to the last event than to any other.
#[tokio::test]
async fn a_beginning_and_a_resolution_are_measured_as_they_are_stored() {
    let server = Local::start().await;
    places(&publish(server.address, &[started("a", "0")]).await);
    let padded = |mut event: Value, pointer: &str| {
        let bytes = 65_536 - 10 - event.to_string().len();
        *event.pointer_mut(pointer).unwrap() = "x".repeat(bytes).into();
        event
    };
    let begin = padded(
        event("b", "1", "incident_started", &json!({ "title": "", "severity": "SEV2", "services": ["x"] })),
        "/data/title",
    );
    let end = padded(
        event("a", "2", "incident_resolved", &json!({ "outcome": "resolved", "summary": "" })),
        "/data/summary",
    );
    let parts = publish_parts(server.address, &[begin, end, action("a", "3", "note")]).await;
    assert_eq!(outcomes(&parts), ["too-large 0 ", "too-large 1 ", "2"], "the incident is open");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_action_for_a_drill_is_judged_by_itself() {
    let server = Serving::with(&[]);
    let body = "{\"scenario\":\"database-outage\",\"speed\":1}";
    let id = Http::trigger(server.address(), body).send().await.json()["id"].as_str().unwrap().to_owned();
    let act = |name: &str| action(&id, name, "note");
    let with = |name: &str, key: &str, value: u64| {
        let mut event = act(name);
        match key {
            "afterindex" => event[key] = value.into(),
            _ => event["data"][key] = value.into(),
        }
        event
    };
    let stale = [act("1"), with("2", "afterindex", 0), act("3")];
    let cause = [act("4"), with("5", "caused_by", 99_999), act("6")];
    let reused = [act("7"), action(&id, "7", "other"), act("8")];
    let large = [act("9"), action(&id, "10", &"x".repeat(65_100)), act("11")];
    for (batch, kind, pointer) in [
        (&stale, "index-moved", "/afterindex"),
        (&cause, "value", "/data/caused_by"),
        (&reused, "id-reused", "/id"),
        (&large, "too-large", ""),
    ] {
        let whole = publish(server.address(), batch).await;
        assert_eq!(refused(&whole), (kind.to_owned(), 1, pointer.to_owned()), "{}", whole.body);
        let parts = outcomes(&publish_parts(server.address(), batch).await);
        assert_eq!(parts[1], format!("{kind} 1 {pointer}"), "{parts:?}");
        for place in [0, 2] {
            assert!(parts[place].parse::<u64>().is_ok(), "nothing of it was stored before: {parts:?}");
        }
    }
    let repeated = outcomes(&publish_parts(server.address(), &[act("12"), act("12"), act("13")]).await);
    assert_eq!(repeated[1], format!("{} again", repeated[0]));
    assert!(repeated[2].parse::<u64>().unwrap() > repeated[0].parse().unwrap(), "{repeated:?}");
    // What a repeat repeats was refused.
    let twice = [with("14", "afterindex", 0), with("14", "afterindex", 0)];
    let twice = outcomes(&publish_parts(server.address(), &twice).await);
    assert_eq!(twice, ["index-moved 0 /afterindex", "index-moved 1 /afterindex"]);
    // Each event after a repeat is judged by the index that it would get.
    let newest = repeated[2].parse::<u64>().unwrap();
    let listed = outcomes(
        &publish_parts(server.address(), &[act("15"), act("15"), with("16", "caused_by", newest)]).await,
    );
    assert!(listed.iter().all(|told| told.trim_end_matches(" again").parse::<u64>().is_ok()), "{listed:?}");
}
