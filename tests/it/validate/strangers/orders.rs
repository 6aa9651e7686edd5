//! The server of orders that the tests break: numbered events with ids, times and a life cycle, after which a client can
//! resume; its profile and its contract.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Fault;
use super::server::{Asked, Does, Talk, say, talk};
use crate::harness::Scratch;

pub const PROFILE: &str = r#"
type = "/type"
id = "/id"
unique = true
sequence = "/seq"
gapless = true
first = 1
subject = "/order"
time = "/at"
begins = ["placed"]
ends = ["delivered", "cancelled"]
ignore = ["hello", "ping"]
silence = "900ms"
varies = ["/sent_to"]
send = ['{"op":"subscribe"}']
resume = { query = "after={sequence}" }
"#;

const CONTRACT: &str = r#"
{
  "oneOf": [
    { "title": "placed", "type": "object", "required": ["type", "items"],
      "properties": { "type": { "const": "placed" }, "items": { "type": "integer", "minimum": 1 } } },
    { "title": "moved", "type": "object", "required": ["type"], "properties": { "type": { "const": "moved" } } },
    { "title": "delivered", "type": "object", "required": ["type"],
      "properties": { "type": { "const": "delivered" } } }
  ]
}
"#;

/// The events, in order: two orders, of which one is delivered.
pub fn orders() -> Vec<Value> {
    let now = Timestamp::now();
    let kinds = [
        ("A", "placed"),
        ("A", "moved"),
        ("B", "placed"),
        ("A", "moved"),
        ("B", "moved"),
        ("A", "moved"),
        ("A", "delivered"),
        ("B", "moved"),
    ];
    let events = kinds.iter().zip(1..).map(|((order, kind), n)| {
        let at = now + SignedDuration::from_millis(n);
        json!({ "type": kind, "id": format!("e{n}"), "seq": n, "order": order, "at": at, "items": 2 })
    });
    events.collect()
}

/// Says all events after the one that the client has, and pings for ever.
pub fn says(events: &[Value], after: Option<usize>, client: u32) -> Vec<Does> {
    let mut does = vec![say(r#"{"type":"hello"}"#)];
    for event in events {
        let n = event["seq"].as_u64().unwrap_or(u64::MAX) as usize;
        if after.is_some_and(|after| n <= after) {
            continue;
        }
        let mut event = event.clone();
        if event.is_object() {
            // What differs between clients.
            event["sent_to"] = client.into();
        }
        does.push(say(event.as_str().map_or_else(|| event.to_string(), str::to_owned)));
        does.push(Does::Wait(5));
    }
    does.push(Does::Ever(r#"{"type":"ping"}"#.to_owned(), 200));
    does
}

/// A server of events that were changed.
pub fn with(change: impl Fn(&mut Vec<Value>) + Send + Sync + 'static) -> Talk {
    // All clients get the same.
    let events = std::sync::OnceLock::new();
    talk(move |asked| {
        assert_eq!(asked.first.as_deref(), Some(r#"{"op":"subscribe"}"#));
        let events = events.get_or_init(|| {
            let mut events = orders();
            change(&mut events);
            events
        });
        says(events, asked.after(), asked.number)
    })
}

/// A sound server, but for what `change` makes of what it says.
pub fn but(change: impl Fn(&Asked, &mut Vec<Does>) + Send + Sync + 'static) -> Talk {
    let events = orders();
    talk(move |asked| {
        let mut does = says(&events, asked.after(), asked.number);
        change(asked, &mut does);
        does
    })
}

pub fn fault(rule: &'static str, way: &'static str, talk: Talk) -> Fault {
    Fault { rule, way, flags: Vec::new(), talk }
}

pub fn limited(rule: &'static str, way: &'static str, limit: &str, talk: Talk) -> Fault {
    Fault { rule, way, flags: vec!["--limit".to_owned(), limit.to_owned()], talk }
}

pub fn files() -> (Scratch, Vec<String>) {
    let folder = Scratch::new().with("orders.toml", PROFILE).with("orders.schema.json", CONTRACT);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let flags =
        ["--profile", &path("orders.toml"), "--contract", &path("orders.schema.json"), "--for", "700ms"];
    let flags = flags.map(str::to_owned).to_vec();
    (folder, flags)
}

/// Replaces a text in everything that is said.
pub fn replace(does: &mut [Does], from: &str, to: &str) {
    for one in does {
        if let Does::Say(text) = one {
            *text = text.replace(from, to);
        }
    }
}
