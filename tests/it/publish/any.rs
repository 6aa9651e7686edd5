//! Whatever is sent, the answer is a 2xx or a problem document, and hostile texts stay texts.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::{action, post, publish, started};
use crate::harness::{Local, Serving, options};

const CASES: usize = 400;

/// Any JSON value of a few levels.
pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2026-11-22T10:00:00Z")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{1,12}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An event of which some members have other values, or are gone.
fn nearly_an_event() -> impl Strategy<Value = Value> {
    let attributes =
        ["specversion", "id", "source", "type", "subject", "time", "data", "afterindex", "index"];
    let fields = [
        "agent",
        "action",
        "status",
        "summary",
        "confidence",
        "hypotheses",
        "marks",
        "forecast",
        "evidence",
        "metrics",
        "cost",
        "title",
        "severity",
        "services",
        "phases",
        "durations",
        "actions",
        "synthetic",
        "impact_started_at",
        "caused_by",
        "offset_s",
        "late_s",
    ];
    let kinds = ["incident_started", "agent_action", "system_metrics", "incident_resolved", "heartbeat"];
    let change = (
        prop_oneof![
            proptest::sample::select(attributes.to_vec()).prop_map(|name| format!("/{name}")),
            proptest::sample::select(fields.to_vec()).prop_map(|name| format!("/data/{name}")),
        ],
        proptest::option::of(value()),
    );
    let kind = proptest::sample::select(kinds.to_vec());
    (kind, 0..50_u32, proptest::collection::vec(change, 0..3)).prop_map(|(kind, id, changes)| {
        let mut event = if kind == "incident_started" { started("a", "") } else { action("a", "", "works") };
        event["type"] = kind.into();
        event["id"] = id.to_string().into();
        for (pointer, value) in changes {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let Some(Value::Object(parent)) = event.pointer_mut(parent) else { continue };
            match value {
                Some(value) => drop(parent.insert(name.to_owned(), value)),
                None => drop(parent.remove(name)),
            }
        }
        event
    })
}

fn body() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => ".{0,60}",
        2 => value().prop_map(|value| value.to_string()),
        6 => nearly_an_event().prop_map(|event| event.to_string()),
        6 => proptest::collection::vec(nearly_an_event(), 0..5).prop_map(|events| Value::from(events).to_string()),
        3 => proptest::collection::vec(nearly_an_event(), 0..5)
            .prop_map(|events| events.iter().map(|event| format!("{event}\n")).collect()),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_body_is_answered_with_success_or_a_problem() {
    let options = incident::server::Options { publish_rate: 1_000_000, admit_rate: 1_000_000, ..options() };
    let server = Local::with(options, incident::journal::Retention::default()).await;
    let mut runner = TestRunner::deterministic();
    let content_types = [
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/x-ndjson",
        "text/plain",
    ];
    let (mut stored, mut refused) = (0, 0);
    for case in 0..CASES {
        let body = body().new_tree(&mut runner).unwrap().current();
        let reply = post(server.address, content_types[case % 4 % content_types.len()], &body).send().await;
        if reply.status == 200 {
            stored += 1;
            continue;
        }
        refused += 1;
        assert!((400..500).contains(&reply.status), "{} for {body}: {}", reply.status, reply.body);
        assert_eq!(reply.header("content-type"), "application/problem+json", "{body}");
        assert!(reply.json()["type"].as_str().unwrap().starts_with("/problems/"), "{}", reply.body);
    }
    assert!(stored > 10 && refused > 100, "{stored} stored, {refused} refused");
}

/// The gate shows what would steer a terminal; no text makes a line of its own.
#[tokio::test]
async fn hostile_texts_reach_the_terminal_and_the_report_as_text() {
    let server = Serving::with(&[]);
    let hostile = "z\u{1b}]0;pwned\u{7}\u{202e}\n# heading\r<script>";
    let mut first = started("a", "1");
    // Only the text of evidence may have several lines.
    let line = hostile.replace(['\n', '\r'], " ");
    first["data"]["title"] = line.as_str().into();
    let mut second = action("a", "2", &line);
    second["data"]["agent"] = line.as_str().into();
    second["data"]["evidence"] = json!([{ "kind": "log", "ref": line, "text": hostile }]);
    let reply = publish(server.address(), &[first, second]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let watch = server.incident(&["watch", "--after", "0", "--no-follow"]).run();
    let report = server.incident(&["report", "a"]).run();
    for said in [&watch.stdout, &report.stdout] {
        assert!(!said.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']), "{said:?}");
        assert!(!said.lines().any(|line| line.starts_with("# heading")), "{said}");
    }
    assert!(watch.stdout.contains("REAL INCIDENT SEV2 z\\u{1b}]0;pwned"), "{}", watch.stdout);
    assert!(report.stdout.contains("**This was a real incident.**"), "{}", report.stdout);
}
