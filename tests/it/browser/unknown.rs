//! Message types in the page's own modules: every known type has its entries, an unknown one is shown as text.

use serde_json::{Value, json};

use super::driver::Browser;
use crate::harness::{Local, fixtures};

/// A stream, a model and a feed without a server: the socket is a stand-in that takes frames from `args[0]`.
const FEED: &str = r"
    const sockets = [];
    const browser = window.WebSocket;
    window.WebSocket = class { constructor() { sockets.push(this); } close() {} };
    const { Stream } = await import('/stream.js');
    const { Model } = await import('/model.js');
    const { rowOf } = await import('/panels/rows.js');
    const gaps = [];
    const handlers = {
      event: (...event) => model.take(...event), opened: (...opened) => model.opened(...opened),
      gap: (...gap) => gaps.push(gap), recovered() {}, refused() {}, heard() {}, changed() {},
    };
    const stream = new Stream('ws://127.0.0.1:1/', handlers);
    const model = new Model(stream, () => {});
    stream.start();
    window.WebSocket = browser;
    for (const frame of args[0]) sockets[0].onmessage({ data: JSON.stringify(frame) });
    const view = model.view();
    const rows = view.history.entries.map((entry) => rowOf(entry, view));
    return {
      gaps, connection: stream.connection,
      types: rows.map((row) => row.dataset.type), texts: rows.map((row) => row.textContent),
      elements: rows.map((row) => row.querySelectorAll('b, img, script').length),
    };
";

fn fixture(name: &str) -> Value {
    let (_, text) = fixtures("messages").into_iter().find(|(found, _)| found == name).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What a server sends: the opening, the start of an incident at position 1, then these events.
fn frames(events: Vec<Value>) -> Vec<Value> {
    let mut opened = fixture("stream_opened");
    let mut start = fixture("incident_started");
    opened["data"]["follows"] = json!({ "kind": "started", "from": 1, "to": 1 });
    start["id"] = json!("1");
    [vec![opened, start], events].concat()
}

fn event(position: u64, kind: &str, subject: Option<&str>, data: Value) -> Value {
    let mut event = fixture("incident_started");
    event["id"] = json!(position.to_string());
    event["type"] = json!(kind);
    event["index"] = json!(position);
    event["time"] = json!("2026-11-22T10:00:07.5Z");
    event["data"] = data;
    match subject {
        Some(subject) => event["subject"] = json!(subject),
        None => drop(event.as_object_mut().unwrap().remove("subject")),
    }
    event
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn every_event_type_has_an_entry_in_each_table() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let tables = r"
        const { EVENT_TYPES } = await import('/contract.js');
        const { CHANGES } = await import('/fold.js');
        const { ROWS } = await import('/panels/rows.js');
        return [EVENT_TYPES, Object.keys(CHANGES), Object.keys(ROWS)];
    ";
    let tables = page.run(tables, Vec::new()).await;
    let types: Vec<&str> = incident::contract::MessageType::ALL
        .iter()
        .copied()
        .filter(|kind| !kind.is_control())
        .map(incident::contract::MessageType::as_str)
        .collect();
    assert_eq!(tables, json!([types, types, types]));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn an_event_of_an_unknown_type_is_a_row_of_text_and_no_gap() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let incident = fixture("incident_started")["subject"].as_str().unwrap().to_owned();
    let markup = json!({ "a": "<b>bold</b><img src=x onerror=alert(1)>", "b": "x".repeat(5000) });
    let mut control = fixture("heartbeat");
    control["type"] = json!("server_mood");
    let shown = page
        .run(
            FEED,
            vec![json!(frames(vec![
                event(2, "deploy_marker", Some(&incident), markup),
                control,
                event(3, "maintenance_window", None, json!(["tonight"])),
                event(4, "handover", Some("another-incident"), json!("to the day shift")),
                event(5, "constructor", Some(&incident), json!({})),
            ]))],
        )
        .await;
    assert_eq!(shown["gaps"], json!([]));
    assert_eq!(shown["connection"]["position"]["last"], 5);
    assert_eq!(shown["connection"]["unknown"], 4);
    assert_eq!(shown["connection"]["unreadable"], 0, "a control message of an unknown type is ignored");
    let types = ["incident_started", "deploy_marker", "maintenance_window", "handover", "constructor"];
    assert_eq!(shown["types"], json!(types));
    assert_eq!(shown["elements"], json!([0, 0, 0, 0, 0]), "no markup from an event");
    let text = |row: usize| shown["texts"][row].as_str().unwrap();
    assert!(text(1).starts_with("T+00:07Unknown event deploy_marker{\"a\":\"<b>bold</b>"), "{}", text(1));
    assert!(text(1).contains("first 400 of") && text(1).len() < 500, "{}", text(1));
    assert!(text(2).contains("[\"tonight\"]") && text(2).contains("without an incident"), "{}", text(2));
    assert!(
        text(3).contains("to the day shift") && text(3).contains("incident another-incident"),
        "{}",
        text(3)
    );
}

/// A real incident has none of what only a simulation knows: second by the clock, no phases, no target.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "drives Chromium: ./tests/run installs it and runs this"]
async fn a_real_incident_is_told_by_the_clock() {
    let server = Local::start().await;
    let page = Browser::open(&format!("http://{}/", server.address)).await;
    let script = r"
        const { foldAll } = await import('/fold.js');
        const { readFrame } = await import('/contract.js');
        const { momentOf } = await import('/clock.js');
        const { scaleOf, ticksOf } = await import('/scale.js');
        const events = args[0].map((event) => readFrame(JSON.stringify(event)));
        const [state] = foldAll(events).incidents;
        const moment = momentOf(state, Date.parse(state.impact_started_at) + 700_500);
        const scale = scaleOf(state, moment.offset_s);
        return { state, moment, total: scale.total, at: scale.at(450), ticks: ticksOf(scale) };
    ";
    let real = ["incident_started.real", "agent_action.real", "system_metrics.real"].map(fixture);
    let shown = page.run(script, vec![json!(real)]).await;
    let state = &shown["state"];
    assert_eq!(
        (&state["offset_s"], &state["target_s"], &state["phases"]),
        (&json!(330), &json!(null), &json!([]))
    );
    assert_eq!((&state["speed"], &state["phase"], &state["run"]), (&json!(1), &json!(null), &json!(null)));
    assert_eq!(state["agents"][0]["since_s"], 311.22);
    let moment = &shown["moment"];
    assert_eq!(moment["offset_s"], 700.5, "the clock counts up");
    assert_eq!(
        (&moment["remaining_s"], &moment["breached"], &moment["end_s"]),
        (&json!(null), &json!(false), &json!(null))
    );
    assert_eq!(
        (&shown["total"], &shown["at"], &shown["ticks"]),
        (&json!(900), &json!(0.5), &json!([0, 300, 600, 900]))
    );
}
