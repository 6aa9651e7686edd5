//! Each refusal is a problem document with a stable type, and says where what is wrong.

use serde_json::{Value, json};

use super::{action, event, places, post, publish, refusal, resolved, started};
use crate::harness::{Http, Local};

fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let parent = event.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value == json!("(absent)") {
        parent.remove(last);
    } else {
        parent.insert(last.to_owned(), value);
    }
    event
}

#[tokio::test]
async fn every_mistake_in_an_event_is_told_with_its_place() {
    let server = Local::start().await;
    places(&publish(server.address, &[started("open", "0")]).await);
    let act = || action("open", "x", "looks");
    let future = (incident::contract::now() + std::time::Duration::from_secs(600)).to_string();
    let table: Vec<(Value, u16, &str, &str)> = vec![
        (json!(7), 400, "bad-envelope", ""),
        (with(act(), "/specversion", json!("0.3")), 400, "bad-envelope", "/specversion"),
        (with(act(), "/id", json!("(absent)")), 400, "bad-envelope", "/id"),
        (with(act(), "/id", json!("x".repeat(257))), 400, "bad-envelope", "/id"),
        (with(act(), "/source", json!("with space")), 400, "bad-envelope", "/source"),
        (with(act(), "/type", json!("heartbeat")), 400, "bad-envelope", "/type"),
        (with(act(), "/subject", json!("Upper")), 400, "bad-envelope", "/subject"),
        (with(act(), "/time", json!("yesterday")), 400, "bad-envelope", "/time"),
        (with(act(), "/index", json!(4)), 400, "bad-envelope", "/index"),
        (with(act(), "/data", json!([])), 400, "bad-envelope", "/data"),
        (with(act(), "/data_base64", json!("e30=")), 400, "bad-envelope", "/data_base64"),
        (with(act(), "/datacontenttype", json!("text/xml")), 400, "bad-envelope", "/datacontenttype"),
        (with(act(), "/time", json!(future)), 422, "time-in-future", "/time"),
        (
            with(started("new", "1"), "/data/impact_started_at", json!("0001-01-01T00:00:00Z")),
            422,
            "value",
            "/data/impact_started_at",
        ),
        (with(started("new", "1"), "/time", json!("0001-01-01T00:00:00Z")), 422, "value", "/time"),
        (with(act(), "/data/confidence", json!(1.4)), 422, "schema", "/data/confidence"),
        (with(act(), "/data/summary", json!("(absent)")), 422, "schema", "/data"),
        (with(act(), "/data/synthetic", json!(true)), 422, "synthetic-not-publishable", "/data/synthetic"),
        (with(act(), "/data/offset_s", json!(3)), 422, "field-of-server", "/data/offset_s"),
        (with(act(), "/data/origin", json!({})), 422, "field-of-server", "/data/origin"),
        (
            with(
                act(),
                "/data/hypotheses",
                json!([{"id": "a", "claim": "A", "p": 0.7}, {"id": "b", "claim": "B", "p": 0.7}]),
            ),
            422,
            "value",
            "/data/hypotheses",
        ),
        (with(act(), "/data/attempt", json!(1.5)), 422, "schema", "/data/attempt"),
        (with(act(), "/data/attempt", json!(4_294_967_296_u64)), 422, "schema", "/data/attempt"),
        (with(act(), "/data/caused_by", json!(1e19)), 422, "schema", "/data/caused_by"),
        (with(act(), "/data/caused_by", json!(9)), 422, "value", "/data/caused_by"),
        (with(act(), "/data/summary", json!("two\nlines")), 422, "value", "/data/summary"),
        (with(act(), "/data/agent", json!("two\rlines")), 422, "value", "/data/agent"),
        (with(started("new", "1"), "/data/title", json!("two\nlines")), 422, "value", "/data/title"),
        (with(started("new", "1"), "/data/services", json!(["a", "b\n"])), 422, "value", "/data/services/1"),
        (with(act(), "/subject", json!("nothing")), 422, "lifecycle", "/subject"),
        (started("open", "again"), 422, "lifecycle", "/type"),
        (with(act(), "/afterindex", json!(7)), 409, "index-moved", "/afterindex"),
        (with(started("open", "0"), "/data/title", json!("Other")), 409, "id-reused", "/id"),
        (with(act(), "/data/summary", json!("x".repeat(66_000))), 413, "too-large", ""),
    ];
    for (event, status, kind, pointer) in table {
        let reply = publish(server.address, std::slice::from_ref(&event)).await;
        let (found, errors) = refusal(&reply);
        assert_eq!((reply.status, found.as_str()), (status, kind), "{}", reply.body);
        assert_eq!(errors, [(kind.to_owned(), pointer.to_owned())], "{}", reply.body);
    }
    assert_eq!(server.journal_head(), 1, "nothing was stored");
    let late = publish(server.address, &[with(act(), "/time", json!("9999-12-31T23:59:59Z"))]).await;
    assert!(late.body.contains("before 9999-12-30"), "{}", late.body);
    // To JSON Schema, 1.0 is a whole number.
    let whole = with(with(act(), "/data/attempt", json!(2.0)), "/data/caused_by", json!(1.0));
    assert_eq!(places(&publish(server.address, &[whole]).await), [(2, 2, false)]);
}

#[tokio::test]
async fn requests_as_a_whole_are_refused() {
    let server = Local::start().await;
    let batch = "application/cloudevents-batch+json";
    let many = Value::from(vec![started("a", "1"); 257]).to_string();
    let large = " ".repeat(1024 * 1024 + 1);
    for (content_type, body, status, kind) in [
        ("application/json", "{}", 415, "media-type"),
        ("", "{}", 415, "media-type"),
        (batch, "{", 400, "not-json"),
        (batch, "{}", 400, "not-json"),
        (batch, "[{\"n\":1e400}]", 400, "number-too-large"),
        ("application/cloudevents+json", "{\"n\":-1e400}", 400, "number-too-large"),
        ("application/x-ndjson", "{\"n\":1e400}", 400, "number-too-large"),
        (batch, "[]", 400, "bad-envelope"),
        ("application/x-ndjson", "\n\n", 400, "bad-envelope"),
        (batch, &many, 413, "too-large"),
        (batch, &large, 413, "too-large"),
    ] {
        let reply = post(server.address, content_type, body).send().await;
        assert_eq!((reply.status, refusal(&reply).0.as_str()), (status, kind), "{}", reply.body);
    }
    let query = Http::new(server.address, "POST", "/api/events?partial=maybe").header("Content-Type", batch);
    assert_eq!(query.body("[]").send().await.status, 400);
}

#[tokio::test]
async fn a_batch_is_all_or_nothing_unless_it_is_asked_for_in_parts() {
    let server = Local::start().await;
    let batch = [
        started("a", "1"),
        with(action("a", "2", "two"), "/data/confidence", json!(7)),
        action("a", "3", "three"),
    ];
    let reply = publish(server.address, &batch).await;
    assert_eq!((reply.status, server.journal_head()), (422, 0));
    assert_eq!(reply.json()["errors"][0]["index"], 1, "{}", reply.body);
    // Two requests at once, of which one is refused by its incident: the other is stored.
    let course = [started("b", "1b"), resolved("b", "2b"), action("b", "3b", "late")];
    let reply = publish(server.address, &course).await;
    assert_eq!((refusal(&reply).0.as_str(), server.journal_head()), ("incident-closed", 0));
    assert_eq!(places(&publish(server.address, &course[..2]).await), [(1, 1, false), (2, 2, false)]);
    let body = Value::from(batch.to_vec()).to_string();
    let parts = Http::new(server.address, "POST", "/api/events?partial=true")
        .header("Content-Type", "application/cloudevents-batch+json")
        .body(&body)
        .send()
        .await;
    assert_eq!(parts.status, 200, "{}", parts.body);
    let parts = parts.json();
    assert_eq!(parts["accepted"], 2);
    assert_eq!((&parts["results"][0]["index"], &parts["results"][2]["index"]), (&json!(1), &json!(2)));
    assert_eq!(parts["results"][1]["problem"]["type"], "/problems/schema", "{parts}");
}

#[tokio::test]
async fn at_most_twenty_errors_are_listed_and_all_are_counted() {
    let server = Local::start().await;
    let batch: Vec<_> =
        (0..30).map(|id| event("a", &id.to_string(), "agent_action", &json!({ "agent": 7 }))).collect();
    let problem = publish(server.address, &batch).await.json();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 20);
    assert!(problem["errors_total"].as_u64().unwrap() >= 30, "{problem}");
}

/// Rust reads an array as a struct, and an object of one member as a word. The contract has neither.
#[tokio::test(flavor = "multi_thread")]
async fn a_shape_that_only_rust_reads_is_refused() {
    let server = Local::start().await;
    places(&publish(server.address, &[started("a", "0")]).await);
    let wrong = [
        ("agent_action", json!({ "status": { "completed": null } }), "/data/status"),
        ("agent_action", json!({ "marks": [{ "detected": null }] }), "/data/marks/0"),
        ("agent_action", json!({ "hypotheses": [["h", "it is so", 0.5]] }), "/data/hypotheses/0"),
        ("agent_action", json!({ "evidence": [["log", "orders", null, null]] }), "/data/evidence/0"),
        ("agent_action", json!({ "forecast": ["time_to_resolve", "s", 1, 2, 3] }), "/data/forecast"),
        ("system_metrics", json!({ "cost": ["USD", 1, 0] }), "/data/cost"),
        ("incident_resolved", json!({ "outcome": { "resolved": null } }), "/data/outcome"),
        ("incident_resolved", json!({ "durations": [1, 2, 3, 4] }), "/data/durations"),
        ("incident_resolved", json!({ "actions": [0, 0] }), "/data/actions"),
    ];
    for (number, (kind, members, pointer)) in (1..).zip(wrong) {
        let mut event = action("a", &number.to_string(), "looks");
        event["type"] = kind.into();
        if kind != "agent_action" {
            event["data"] = json!({ "summary": "Done" });
        }
        event["data"].as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let reply = publish(server.address, &[event]).await;
        assert_eq!(reply.status, 422, "{pointer}: {}", reply.body);
        assert_eq!(refusal(&reply).1, [("schema".to_owned(), pointer.to_owned())]);
    }
    assert_eq!(server.journal_head(), 1);
}

/// The hypotheses of an incident are known: a root cause is one of them.
#[tokio::test]
async fn a_root_cause_is_one_of_the_hypotheses() {
    let server = Local::start().await;
    let end = |id: &str, cause: &str| with(resolved("a", id), "/data/root_cause", json!(cause));
    let believes = json!([{ "id": "leak", "claim": "A leak", "p": 0.4 }]);
    let events = [started("a", "1"), with(action("a", "2", "looks"), "/data/hypotheses", believes)];
    places(&publish(server.address, &events).await);
    let reply = publish(server.address, &[end("3", "leek")]).await;
    let (_, errors) = refusal(&reply);
    assert_eq!(
        (reply.status, errors),
        (422, vec![("value".to_owned(), "/data/root_cause".to_owned())]),
        "{}",
        reply.body
    );
    assert!(reply.body.contains("none of the incident's hypotheses"), "{}", reply.body);
    places(&publish(server.address, &[end("3", "leak")]).await);
    // Where none was told, nothing contradicts it.
    places(
        &publish(
            server.address,
            &[started("b", "b1"), with(resolved("b", "b2"), "/data/root_cause", json!("dns"))],
        )
        .await,
    );
}

/// Only the text of evidence may have several lines.
#[tokio::test]
async fn evidence_may_have_several_lines() {
    let server = Local::start().await;
    let evidence = |name: &str| {
        let piece = json!({ "kind": "log", "ref": "api", "text": "one\ntwo" });
        let mut pieces = json!([piece]);
        if name != "text" {
            pieces[0][name] = json!("one\ntwo");
        }
        with(action("a", name, "looks"), "/data/evidence", pieces)
    };
    places(&publish(server.address, &[started("a", "1"), evidence("text")]).await);
    let (_, errors) = refusal(&publish(server.address, &[evidence("ref")]).await);
    assert_eq!(errors, [("value".to_owned(), "/data/evidence/0/ref".to_owned())]);
}
