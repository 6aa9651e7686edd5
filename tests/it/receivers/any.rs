//! Whatever is sent to a receiver, the answer is a 2xx, a problem document, or what PagerDuty would say: never a 500.

use incident::journal::Retention;
use incident::server::Options;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::lab::{ended, firing, group};
use super::server::setups;
use crate::harness::{Http, Local, options};
use crate::publish::any::value;
use crate::publish::encoded::gzip;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const CASES: usize = 500;

/// A body that its receiver would take, with the members that a change may be made to.
fn sound(path: &str) -> (Value, &'static [&'static str]) {
    let webhook: &[&str] = &[
        "/version",
        "/groupKey",
        "/truncatedAlerts",
        "/groupLabels",
        "/alerts",
        "/alerts/0",
        "/alerts/0/status",
        "/alerts/0/labels",
        "/alerts/0/labels/severity",
        "/alerts/0/labels/alertname",
        "/alerts/0/annotations",
        "/alerts/0/annotations/summary",
        "/alerts/0/startsAt",
        "/alerts/0/endsAt",
        "/alerts/0/fingerprint",
        "/alerts/0/generatorURL",
        "/alerts/0/values",
        "/alerts/0/values/A",
    ];
    let pagerduty: &[&str] = &[
        "/routing_key",
        "/event_action",
        "/dedup_key",
        "/payload",
        "/payload/summary",
        "/payload/source",
        "/payload/severity",
        "/payload/timestamp",
        "/payload/custom_details",
        "/payload/class",
        "/links",
        "/images",
        "/client",
        "/client_url",
    ];
    match path {
        "/hooks/pagerduty/pd/v2/enqueue" | "/hooks/pagerduty/pd/v2/change/enqueue" => {
            let body = json!({
                "routing_key": SECRET, "event_action": "trigger", "dedup_key": "k",
                "payload": { "summary": "Disk full", "source": "db-1", "severity": "error" },
            });
            (body, pagerduty)
        }
        _ => {
            let mut body = group(&[firing("A", 0), ended("B", 0, 9)]);
            body["version"] = json!(if path.contains("grafana") { "1" } else { "4" });
            body["alerts"][0]["values"] = json!({ "A": 0.5 });
            (body, webhook)
        }
    }
}

const PATHS: [&str; 4] = [
    "/hooks/alertmanager/prod",
    "/hooks/grafana/graf",
    "/hooks/pagerduty/pd/v2/enqueue",
    "/hooks/pagerduty/pd/v2/change/enqueue",
];

fn body(path: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let change = (0..100_usize, proptest::option::of(value()));
    let nearly = proptest::collection::vec(change, 0..4).prop_map(move |changes| {
        let (mut body, members) = sound(path);
        for (member, value) in changes {
            let (parent, name) = members[member % members.len()].rsplit_once('/').unwrap();
            match (body.pointer_mut(parent), value) {
                (Some(Value::Object(parent)), Some(value)) => drop(parent.insert(name.to_owned(), value)),
                (Some(Value::Object(parent)), None) => drop(parent.remove(name)),
                (Some(Value::Array(items)), Some(value)) if !items.is_empty() => items[0] = value,
                _ => {}
            }
        }
        body.to_string().into_bytes()
    });
    prop_oneof![
        1 => proptest::collection::vec(any::<u8>(), 0..80),
        1 => value().prop_map(|value| value.to_string().into_bytes()),
        8 => nearly,
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_body_is_answered_as_its_sender_expects() {
    let options = Options { receivers: Some(setups("")), admit_rate: 1_000_000, ..options() };
    let server = Local::with(options, Retention::default()).await;
    let mut runner = TestRunner::deterministic();
    let (mut taken, mut refused) = (0, 0);
    for case in 0..CASES {
        let path = PATHS[case % PATHS.len()];
        let mut body = body(path).new_tree(&mut runner).unwrap().current();
        let mut request = Http::new(server.address, "POST", path).bearer(SECRET);
        if case % 7 == 0 {
            body = gzip(&body);
        }
        if case % 7 <= 1 {
            request = request.header("Content-Encoding", "gzip");
        }
        let reply = request.bytes(&body).send().await;
        let sent = String::from_utf8_lossy(&body);
        if (200..300).contains(&reply.status) {
            taken += 1;
            continue;
        }
        refused += 1;
        assert!([400, 401, 415, 422].contains(&reply.status), "{} for {sent}: {}", reply.status, reply.body);
        let is_pagerduty = path.contains("pagerduty") && reply.status != 415;
        if is_pagerduty {
            assert!(reply.json()["errors"].is_array(), "{}", reply.body);
        } else {
            assert_eq!(reply.header("content-type"), "application/problem+json", "{sent}");
        }
    }
    assert!(taken > 50 && refused > 50, "{taken} taken, {refused} refused");
}
