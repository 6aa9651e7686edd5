//! `POST /api/events`: what publishers send becomes events, once and in order, or is refused with reasons.

mod access;
pub mod any;
mod behind;
mod command;
mod course;
mod digests;
mod drills;
pub mod encoded;
mod guides;
mod killed;
mod many;
mod parts;
mod problems;
mod refusals;
mod storing;
pub mod times;
mod unanswered;

use std::net::SocketAddr;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::harness::{Http, Reply};

/// When all events were observed: a repeat has the same time.
static NOW: LazyLock<String> = LazyLock::new(|| incident::contract::now().to_string());

/// A `CloudEvent` as a publisher sends it.
pub fn event(subject: &str, id: &str, kind: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "/agents/diagnosis", "type": kind, "subject": subject,
        "time": *NOW, "data": data,
    })
}

pub fn started(subject: &str, id: &str) -> Value {
    event(
        subject,
        id,
        "incident_started",
        &json!({ "title": "Checkout fails", "severity": "SEV2", "services": ["checkout"] }),
    )
}

pub fn action(subject: &str, id: &str, summary: &str) -> Value {
    let data = json!({ "agent": "diagnosis", "action": "looked", "status": "completed", "summary": summary });
    event(subject, id, "agent_action", &data)
}

pub fn resolved(subject: &str, id: &str) -> Value {
    event(subject, id, "incident_resolved", &json!({ "outcome": "resolved", "summary": "Rolled back" }))
}

pub fn post(address: SocketAddr, content_type: &str, body: &str) -> Http {
    Http::new(address, "POST", "/api/events").header("Content-Type", content_type).body(body)
}

/// Sends events as a batch.
pub async fn publish(address: SocketAddr, events: &[Value]) -> Reply {
    let body = Value::from(events.to_vec()).to_string();
    post(address, "application/cloudevents-batch+json", &body).send().await
}

/// Sends events as a batch of which each event is judged by itself.
pub async fn publish_parts(address: SocketAddr, events: &[Value]) -> Reply {
    let body = Value::from(events.to_vec()).to_string();
    Http::new(address, "POST", "/api/events?partial=true")
        .header("Content-Type", "application/cloudevents-batch+json")
        .body(&body)
        .send()
        .await
}

/// The positions and indexes of a reply that has stored everything.
pub fn places(reply: &Reply) -> Vec<(u64, u64, bool)> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let results = reply.json()["results"].as_array().unwrap().clone();
    let place = |result: &Value| {
        let number = |name: &str| result[name].as_u64().unwrap_or_else(|| panic!("{result}"));
        (number("position"), number("index"), result["duplicate"] == true)
    };
    results.iter().map(place).collect()
}

/// A refusal: its kind, and the kind and pointer of each error.
pub fn refusal(reply: &Reply) -> (String, Vec<(String, String)>) {
    let problem = reply.json();
    assert_eq!(reply.header("content-type"), "application/problem+json", "{problem}");
    assert_eq!(problem["status"], reply.status, "{problem}");
    let name = |value: &Value| value.as_str().unwrap().strip_prefix("/problems/").unwrap().to_owned();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let errors =
        errors.iter().map(|error| (name(&error["type"]), error["pointer"].as_str().unwrap().to_owned()));
    (name(&problem["type"]), errors.collect())
}
