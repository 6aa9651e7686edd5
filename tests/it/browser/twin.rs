//! `fold.js` is the twin of Rust's fold: both give the same states for the same events.

use incident::contract::Envelope;
use incident::report::Board;
use incident::scenario::{Library, SHIPPED};
use serde_json::{Value, json};

use super::driver::Browser;
use crate::harness::{Local, Timeline, fixture, fixtures};

/// Folds `args[0]`. Times become milliseconds, because the twins may write different numbers of decimals.
const SAME_TIMES: &str = r"
    const { newBoard, fold } = await import('/fold.js');
    const board = newBoard();
    const states = [];
    for (const event of args[0]) {
      fold(board, event);
      const state = structuredClone(board.incidents.at(-1));
      state.time = new Date(state.time).getTime();
      state.impact_started_at &&= new Date(state.impact_started_at).getTime();
      states.push(state);
    }
    return states;
";

fn normal(mut state: Value) -> Value {
    for field in ["time", "impact_started_at"] {
        // The start of an incident may be missing.
        let Some(time) = state[field].as_str() else { continue };
        let time: jiff::Timestamp = time.parse().unwrap();
        state[field] = time.as_millisecond().into();
    }
    floats(&mut state);
    state
}

/// JavaScript has one number type: 180 and 180.0 are the same.
fn floats(value: &mut Value) {
    match value {
        Value::Number(number) => *value = json!(number.as_f64()),
        Value::Array(items) => items.iter_mut().for_each(floats),
        Value::Object(fields) => fields.values_mut().for_each(floats),
        _ => {}
    }
}

/// The state after each event, by both folds.
async fn both(page: &Browser, events: Vec<Value>) -> (Vec<Value>, Vec<Value>) {
    let mut board = Board::default();
    let ours = events.iter().map(|event| {
        let envelope: Envelope = serde_json::from_value(event.clone()).unwrap();
        board.fold(&envelope);
        normal(serde_json::to_value(board.incidents().last().unwrap()).unwrap())
    });
    let ours = ours.collect();
    let mut theirs = page.run(SAME_TIMES, vec![Value::Array(events)]).await;
    floats(&mut theirs);
    (ours, theirs.as_array().unwrap().clone())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn both_folds_agree_after_every_event_of_every_scenario() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let library = Library::shipped().unwrap();
    assert_eq!(library.len(), SHIPPED.len());
    for scenario in library.iter() {
        let timeline = Timeline::compile(scenario, scenario.file.seed);
        let (ours, theirs) = both(&page, super::story_of(&timeline)).await;
        assert_eq!(ours.len(), timeline.events.len());
        for (place, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert_eq!(ours, theirs, "{} after event {}", scenario.id(), place + 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn the_page_folds_the_golden_recording_to_the_golden_states() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let recording = std::fs::read_to_string(fixture("golden/database-outage.ndjson")).unwrap();
    let events: Vec<Value> = recording.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (_, theirs) = both(&page, events).await;
    let states = std::fs::read_to_string(fixture("golden/states.json")).unwrap();
    let states: Value = serde_json::from_str(&states).unwrap();
    let states = states.as_object().unwrap();
    assert!(states.len() >= 4);
    for (after, state) in states {
        let after: usize = after.parse().unwrap();
        assert_eq!(normal(state.clone()), theirs[after - 1], "after event {after}");
    }
}

/// What was chosen of a scenario is a part of the state.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn both_folds_keep_the_settings_of_a_run() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let (_, text) = fixtures("messages").into_iter().find(|(name, _)| name == "incident_started").unwrap();
    for (settings, kept) in [
        (json!({ "variant": "worse", "__proto__": "x" }), true),
        (json!({}), false),
        (Value::Null, false),
        (json!({ "users": 7 }), false),
    ] {
        let mut event: Value = serde_json::from_str(&text).unwrap();
        event["data"]["run"]["settings"] = settings;
        let mut board = Board::default();
        board.fold(&serde_json::from_value(event.clone()).unwrap());
        let ours = serde_json::to_value(board.incidents()).unwrap();
        let theirs = page
            .run(
                "const { foldAll } = await import('/fold.js');
                 return JSON.stringify(foldAll(args[0].map((event) => JSON.parse(event))).incidents);",
                vec![json!([event.to_string()])],
            )
            .await;
        // As text: the driver loses a member that is called `__proto__`.
        let theirs: Value = serde_json::from_str(theirs.as_str().unwrap()).unwrap();
        assert_eq!(ours[0]["run"], theirs[0]["run"], "{event}");
        assert_eq!(!ours[0]["run"]["settings"].is_null(), kept);
    }
}

/// Without phases, target, speed and seconds: the second of each event follows from the clock.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn both_folds_agree_on_a_real_incident() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let mut events: Vec<Value> = fixtures("messages")
        .iter()
        .filter(|(name, _)| name.split_once('.').is_some_and(|(_, kind)| kind == "real"))
        .map(|(_, text)| serde_json::from_str(text).unwrap())
        .collect();
    events.sort_by_key(|event| event["index"].as_u64());
    assert_eq!(events.len(), 4);
    // No event tells these.
    events[3]["data"]["durations"] =
        json!({ "detect_s": 20, "mitigate_s": 400, "diagnose_s": 700, "resolve_s": 1_260 });
    // The beginning may be gone, and then no second is known before the end.
    let (ours, theirs) = both(&page, events[1..].to_vec()).await;
    assert_eq!(ours, theirs);
    let known: Vec<bool> = theirs.iter().map(|state| state["offset_s"].is_number()).collect();
    assert_eq!(known, [false, false, true]);
    let (ours, theirs) = both(&page, events).await;
    assert_eq!(ours, theirs);
    let offsets: Vec<f64> = theirs.iter().map(|state| state["offset_s"].as_f64().unwrap()).collect();
    assert_eq!(offsets, [217.31, 311.22, 330.0, 1260.104]);
    let told: Vec<&Value> = theirs.iter().map(|state| &state["marks"]["mitigated"]).collect();
    assert_eq!(told, [&Value::Null, &Value::Null, &Value::Null, &json!(400.0)]);
}
