//! Good streams: of every shipped scenario, and of a real incident.

use std::sync::OnceLock;

use incident::contract::{
    Follows, Heartbeat, IncidentEvent, Message, ServerState, Source, StreamId, StreamOpened,
};
use incident::scenario::Scenario;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::sound::Stream;
use crate::harness::{Timeline, encode};

pub const DATABASE_OUTAGE: &str = include_str!("../../../scenarios/database-outage.toml");
pub const EPOCH: &str = "2026-11-22T10:00:00Z";
pub const STREAM: &str = "01HF7YAT00000007";
const HEARTBEAT: f64 = 5.0;

const SCENARIOS: [(&str, &str); 5] = [
    ("database-outage", DATABASE_OUTAGE),
    ("api-overload", include_str!("../../../scenarios/api-overload.toml")),
    ("ddos-attack", include_str!("../../../scenarios/ddos-attack.toml")),
    ("memory-leak", include_str!("../../../scenarios/memory-leak.toml")),
    ("storage-failure", include_str!("../../../scenarios/storage-failure.toml")),
];

/// The good streams by name: drills, then a real incident.
pub fn streams() -> &'static [(&'static str, Stream)] {
    static STREAMS: OnceLock<Vec<(&str, Stream)>> = OnceLock::new();
    STREAMS.get_or_init(|| {
        let drills = SCENARIOS.iter().map(|(name, text)| (*name, drill(name, text)));
        drills.chain([("real", real())]).collect()
    })
}

/// What a client receives of a scenario in real time: a greeting, the events at their due times from the tenth second
/// on, heartbeats between.
fn drill(name: &str, text: &str) -> Stream {
    let scenario = Scenario::parse(name, text).unwrap();
    let timeline = Timeline::compile(&scenario, 42);
    let subject = format!("{name}-x7k2p");
    let events = timeline.events.iter().map(|event| (10.0 + event.due as f64 / 1e6, event.message.clone()));
    served(&subject, &events.collect::<Vec<_>>())
}

/// What a server sends of an incident whose events are stored at these seconds.
fn served(subject: &str, events: &[(f64, Message)]) -> Stream {
    let stream: StreamId = STREAM.parse().unwrap();
    let epoch: Timestamp = EPOCH.parse().unwrap();
    let at = |seconds: f64| epoch + SignedDuration::from_micros((seconds * 1e6) as i64);
    let server = Source::Server("test".to_owned());
    let encode =
        |source: &Source, id: u64, of: Option<IncidentEvent<'_>>, seconds: f64, message: &Message| {
            let text = encode(source, id, of, at(seconds), message);
            (serde_json::from_str(&text).unwrap(), seconds)
        };
    let opened = Message::StreamOpened(StreamOpened {
        contract: "1.0".to_owned(),
        stream: stream.to_string(),
        head: 0,
        oldest: 1,
        follows: Follows::Started { from: 1, to: 0 },
        heartbeat_ms: (HEARTBEAT * 1000.0) as u64,
        server_time: epoch,
    });
    let mut frames = vec![encode(&server, 1, None, 0.0, &opened)];
    let mut beats = 1;
    let source = Source::Stream(stream.clone());
    for ((seconds, message), n) in events.iter().zip(1..) {
        while f64::from(beats) * HEARTBEAT <= *seconds {
            let beat = Heartbeat {
                stream: stream.to_string(),
                head: n - 1,
                state: ServerState::Playing,
                reason: None,
            };
            let beat = Message::Heartbeat(beat);
            frames.push(encode(&server, beats as u64 + 1, None, f64::from(beats) * HEARTBEAT, &beat));
            beats += 1;
        }
        frames.push(encode(&source, n, Some(IncidentEvent { subject, index: n }), *seconds, message));
    }
    Stream::new(frames)
}

/// A real incident: nobody planned it, so that its events have no seconds and nothing is announced.
fn real() -> Stream {
    let action = |at: f64, step: &str, status: &str, more: Value| {
        let mut data = json!({
            "synthetic": false, "agent": "on-call", "action": "acted", "status": status,
            "summary": "Looks at the last deploy", "step": step,
        });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        (at, "agent_action", data)
    };
    let sample = |at: f64, errors: f64, users: u64, total: f64| {
        let cost = json!({ "currency": "EUR", "total": total, "per_minute": 600.0 });
        let data = json!({
            "synthetic": false, "metrics": { "error_rate": errors }, "users_affected": users, "cost": cost,
        });
        (at, "system_metrics", data)
    };
    let causes = |leak: f64, traffic: f64| {
        json!([
            { "id": "leak", "claim": "The release leaks connections", "p": leak },
            { "id": "traffic", "claim": "More traffic than usual", "p": traffic },
        ])
    };
    let started = json!({
        "synthetic": false, "title": "Checkout returns errors", "severity": "SEV2", "services": ["checkout"],
        "impact_started_at": "2026-11-22T10:00:08.000000Z",
    });
    let mut events = vec![
        (10.0, "incident_started", started),
        action(14.0, "look", "in_progress", json!({ "marks": ["detected"] })),
        action(16.0, "look", "completed", json!({ "hypotheses": causes(0.4, 0.5), "confidence": 0.5 })),
        action(
            21.0,
            "cause",
            "completed",
            json!({
                "hypotheses": causes(0.9, 0.05), "confidence": 0.9, "marks": ["diagnosed"], "caused_by": 3,
                "evidence": [{ "kind": "log", "ref": "orders-db", "text": "no slots left" }],
            }),
        ),
        action(
            23.0,
            "forecast",
            "completed",
            json!({
                "forecast": { "quantity": "time_to_resolve", "unit": "s", "p10": 30.0, "p50": 40.0, "p90": 90.0 },
            }),
        ),
        action(24.0, "rollback", "in_progress", json!({ "attempt": 1 })),
        action(28.0, "rollback", "failed", json!({ "attempt": 1 })),
        action(29.0, "rollback", "in_progress", json!({ "attempt": 2 })),
        action(34.0, "rollback", "completed", json!({ "attempt": 2, "marks": ["mitigated"] })),
    ];
    for second in (11..50).step_by(2) {
        let n = f64::from(second);
        events.push(sample(n + 0.25, 5.0 / n, (5_000 - 50 * second) as u64, n * 10.0));
    }
    events.push((
        40.0,
        "agent_action",
        json!({
            "synthetic": false, "agent": "on-call", "action": "informed", "status": "completed",
            "summary": "Tells the customers",
        }),
    ));
    events.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    events.push((
        52.0,
        "incident_resolved",
        json!({
            "synthetic": false, "outcome": "resolved", "summary": "Rolled back", "root_cause": "leak",
            "durations": { "detect_s": 6.0, "diagnose_s": 13.0, "mitigate_s": 26.0, "resolve_s": 44.0 },
            "cost": { "currency": "EUR", "total": 520.0, "per_minute": 0.0 }, "users_peak": 4_500,
            "actions": { "total": 6, "failed": 1 }, "followups": ["Canary releases"],
        }),
    ));
    let events = events.into_iter().map(|(at, kind, data)| {
        let data = serde_json::value::to_raw_value(&data).unwrap();
        (at, Message::parse(kind, &data).unwrap())
    });
    served("checkout-errors-4q8zc", &events.collect::<Vec<_>>())
}
