//! A stream in which every text is hostile.

use serde_json::{Value, json};

use super::corpus::HOSTILE;
use crate::harness::fixture;

/// Members with a fixed meaning: without them a message would be no message.
const FIXED: [&str; 6] = ["severity", "status", "outcome", "impact_started_at", "marks", "kind"];

/// Makes every text of a payload hostile, names of metrics too.
fn infect(value: &mut Value) {
    match value {
        Value::String(text) => *text = format!("{HOSTILE}{text}"),
        Value::Array(items) => items.iter_mut().for_each(infect),
        Value::Object(fields) => {
            for (name, mut value) in std::mem::take(fields) {
                if !FIXED.contains(&name.as_str()) {
                    infect(&mut value);
                }
                let numbers = name == "error_rate" || name == "latency_p99";
                let name = if numbers { format!("{HOSTILE}{name}") } else { name };
                fields.insert(name, value);
            }
        }
        _ => {}
    }
}

fn message(name: &str) -> Value {
    let path = fixture("messages").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The id of the incident.
pub fn subject() -> String {
    format!("{HOSTILE}x7k2p")
}

/// What a server says first.
pub fn opened(to: usize) -> String {
    let mut opened = message("stream_opened");
    opened["data"]["stream"] = json!("S");
    opened["data"]["head"] = json!(to);
    opened["data"]["oldest"] = json!(1);
    opened["data"]["follows"] = json!({ "kind": "started", "from": 1, "to": to });
    opened.to_string()
}

/// The events of one incident to its end, an event of an unknown type, and one whose payload is none.
pub fn events() -> Vec<String> {
    let mut messages: Vec<Value> =
        ["incident_started", "agent_action", "system_metrics"].map(message).into_iter().collect();
    let mut failed = message("agent_action");
    failed["data"]["status"] = json!("failed");
    let mut unknown = message("agent_action");
    unknown["type"] = json!(HOSTILE);
    let mut none = message("agent_action");
    none["data"] = json!({ "summary": 1, HOSTILE: HOSTILE });
    messages.extend([failed, unknown, none, message("incident_resolved")]);
    let numbered = messages.into_iter().zip(1..).map(|(mut message, number)| {
        infect(&mut message["data"]);
        if number == 1 {
            message["data"]["phases"][1]["name"] = message["data"]["phases"][0]["name"].clone();
        }
        message["id"] = json!(number.to_string());
        message["index"] = json!(number);
        message["source"] = json!("/streams/S");
        message["subject"] = json!(subject());
        message.to_string()
    });
    numbered.collect()
}

/// Those that a server can play again.
pub fn playable() -> Vec<String> {
    let known = |event: &String| !event.contains("\"summary\":1") && !event.contains("\"type\":\"z");
    let kept = events().into_iter().filter(known).zip(1..).map(|(event, number)| {
        let mut event: Value = serde_json::from_str(&event).unwrap();
        event["id"] = json!(number.to_string());
        event["index"] = json!(number);
        // A replay refuses an id that the interface can't address.
        event["subject"] = json!("played-1");
        event.to_string()
    });
    kept.collect()
}

/// Events of another incident, whose start is missing.
pub fn other() -> Vec<String> {
    let others = events().into_iter().skip(1).take(2);
    let renamed = others.zip(8..).map(|(event, number)| {
        let mut event: Value = serde_json::from_str(&event).unwrap();
        event["id"] = json!(number.to_string());
        event["subject"] = json!("other-1");
        event.to_string()
    });
    renamed.collect()
}

/// Lines that are no events, for recordings that are to be judged.
pub fn nonsense() -> Vec<String> {
    let mut foreign = message("agent_action");
    for name in ["specversion", "id", "source", "type", "subject"] {
        foreign[name] = json!(HOSTILE);
    }
    vec![
        foreign.to_string(),
        HOSTILE.replace(['\r', '\n'], " "),
        format!("{{{}}}", json!(HOSTILE)),
        "[1]".to_owned(),
    ]
}
