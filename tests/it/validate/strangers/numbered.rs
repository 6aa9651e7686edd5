//! A WebSocket server of orders: numbered events with ids, times and a life cycle, after which a client can resume.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::server::{Does, Talk, say, talk};
use super::{Fault, Over, each_breaks_its_rule, failures, rule, serve, validate};
use crate::harness::Scratch;
use crate::validate::command::json as report_of;

const PROFILE: &str = r#"
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

const CONTRACT: &str = r##"
{
  "oneOf": [
    { "title": "placed", "type": "object", "required": ["type", "items"],
      "properties": { "type": { "const": "placed" }, "items": { "type": "integer", "minimum": 1 } } },
    { "title": "moved", "type": "object", "required": ["type"], "properties": { "type": { "const": "moved" } } },
    { "title": "delivered", "type": "object", "required": ["type"],
      "properties": { "type": { "const": "delivered" } } }
  ]
}
"##;

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
fn says(events: &[Value], after: usize, client: u32) -> Vec<Does> {
    let mut does = vec![say(r#"{"type":"hello"}"#)];
    for event in events {
        let n = event["seq"].as_u64().unwrap_or(u64::MAX) as usize;
        if n <= after {
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
fn with(change: impl Fn(&mut Vec<Value>) + Send + Sync + 'static) -> Talk {
    // All clients get the same.
    let events = std::sync::OnceLock::new();
    talk(move |asked| {
        assert_eq!(asked.first.as_deref(), Some(r#"{"op":"subscribe"}"#));
        let events = events.get_or_init(|| {
            let mut events = orders();
            change(&mut events);
            events
        });
        says(events, asked.after().unwrap_or(0), asked.number)
    })
}

/// A sound server, but for what `change` makes of what it says.
fn but(change: impl Fn(&super::server::Asked, &mut Vec<Does>) + Send + Sync + 'static) -> Talk {
    let events = orders();
    talk(move |asked| {
        let mut does = says(&events, asked.after().unwrap_or(0), asked.number);
        change(asked, &mut does);
        does
    })
}

fn fault(rule: &'static str, way: &'static str, talk: Talk) -> Fault {
    Fault { rule, way, flags: Vec::new(), talk }
}

fn limited(rule: &'static str, way: &'static str, limit: &str, talk: Talk) -> Fault {
    Fault { rule, way, flags: vec!["--limit".to_owned(), limit.to_owned()], talk }
}

fn files() -> (Scratch, Vec<String>) {
    let folder = Scratch::new().with("orders.toml", PROFILE).with("orders.schema.json", CONTRACT);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let flags =
        ["--profile", &path("orders.toml"), "--contract", &path("orders.schema.json"), "--for", "700ms"];
    let flags = flags.map(str::to_owned).to_vec();
    (folder, flags)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_server_passes() {
    let (folder, flags) = files();
    let mut args = serve(Over::Subscribed, with(|_| {})).await;
    args.extend(flags);
    let kept = folder.path().join("kept").display().to_string();
    args.extend(
        ["--limit", "latency.max=10s", "--limit", "clock.skew=10s", "--transcripts", &kept]
            .map(str::to_owned),
    );
    let ran = validate(args).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let report = report_of(&ran);
    let passed = [
        "connection",
        "schema",
        "order",
        "gap",
        "duplicate",
        "clock",
        "lifecycle",
        "resume",
        "fan-out",
        "latency",
        "silence",
    ];
    for name in passed {
        assert_eq!(rule(&report, name)["status"], "passed", "{name}: {report:#}");
    }
    assert_eq!(rule(&report, "order")["summary"], "sequence numbers 1..8 rise");
    assert_eq!(rule(&report, "lifecycle")["summary"], "2 subjects: 2 began, 1 ended");
    assert_eq!(rule(&report, "resume")["summary"], "cut and resumed 3 times: 16 events replayed, none lost");
    for name in [
        "greeting",
        "envelope",
        "phases",
        "declared",
        "cost",
        "tally",
        "positions",
        "expect",
        "pacing",
        "heartbeat",
    ] {
        assert_eq!(rule(&report, name)["why"], "not part of the profile", "{name}: {report:#}");
    }
    let again = validate(vec![format!("{kept}/server.ndjson")]).await;
    assert_eq!(again.status, Some(0), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_delivered_ends_the_listening() {
    let (_folder, flags) = files();
    let mut args = serve(Over::Subscribed, with(|_| {})).await;
    args.extend(flags[..4].iter().cloned());
    let ran = validate(args).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_messages_are_found_by_schema() {
    let (_folder, flags) = files();
    let at = |place: usize, field: &'static str, value: Value| {
        with(move |events| events[place][field] = value.clone())
    };
    let faults = vec![
        fault("schema", "a text that is not JSON", with(|events| events[3] = "{\"type\"".into())),
        fault("schema", "a key twice", {
            with(|events| events[3] = events[3].to_string().replace("\"id\"", "\"id\":\"x\",\"id\"").into())
        }),
        fault("schema", "no type", with(|events| drop(events[3].as_object_mut().unwrap().remove("type")))),
        fault("schema", "a type that is an object", at(3, "type", json!({}))),
        fault("schema", "a type that the contract does not know", at(3, "type", json!("eaten"))),
        fault("schema", "a number below what the contract allows", at(2, "items", json!(0))),
        fault("schema", "no id", with(|events| drop(events[3].as_object_mut().unwrap().remove("id")))),
        fault("schema", "an id that is null", at(3, "id", Value::Null)),
        fault("schema", "a sequence number that is a word", at(3, "seq", json!("four"))),
        fault("schema", "a negative sequence number", at(3, "seq", json!(-4))),
        fault("schema", "a broken sequence number", at(3, "seq", json!(4.5))),
        fault("schema", "a sequence number that is too large", at(3, "seq", json!(1_u64 << 63))),
        fault(
            "schema",
            "no sequence number",
            with(|events| drop(events[3].as_object_mut().unwrap().remove("seq"))),
        ),
        fault("schema", "a time that is none", at(3, "at", json!("yesterday"))),
        fault("schema", "a time that is a number", at(3, "at", json!(1_800_000_000))),
        fault("schema", "a subject that is a list", at(3, "order", json!(["A"]))),
        fault("schema", "a message that is a list", with(|events| events[3] = "[1,2]".into())),
    ];
    each_breaks_its_rule(Over::Subscribed, flags, faults).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_stream_are_found_each_by_its_rule() {
    let (_folder, flags) = files();
    let faults = vec![
        fault("order", "two events change places", with(|events| events.swap(3, 4))),
        fault("gap", "an event is missing", with(|events| drop(events.remove(3)))),
        fault(
            "gap",
            "the first event is missing",
            with(|events| {
                events.remove(0);
                events[0]["type"] = "placed".into();
            }),
        ),
        fault(
            "gap",
            "numbers jump",
            with(|events| {
                events[4..].iter_mut().for_each(|event| {
                    event["seq"] = (event["seq"].as_u64().unwrap() + 10).into();
                })
            }),
        ),
        fault(
            "order",
            "the sequence begins below its first number",
            with(|events| {
                events.iter_mut().zip(0..).for_each(|(event, n)| event["seq"] = n.into());
            }),
        ),
        fault("duplicate", "an event comes twice", with(|events| events.insert(3, events[2].clone()))),
        fault("duplicate", "an id comes twice", with(|events| events[5]["id"] = "e2".into())),
        fault(
            "clock",
            "the time goes back",
            with(|events| {
                let at: Timestamp = events[4]["at"].as_str().unwrap().parse().unwrap();
                events[4]["at"] = (at - SignedDuration::from_secs(1)).to_string().into();
            }),
        ),
        limited(
            "clock",
            "the clock is ahead",
            "clock.skew=5s",
            with(|events| {
                events.iter_mut().for_each(|event| {
                    let at: Timestamp = event["at"].as_str().unwrap().parse().unwrap();
                    event["at"] = (at + SignedDuration::from_secs(60)).to_string().into();
                })
            }),
        ),
        limited(
            "latency",
            "events are held back",
            "latency.p50=40ms",
            but(|_, does| {
                let now = Timestamp::now();
                for (place, one) in does.iter_mut().enumerate() {
                    if let Does::Say(text) = one
                        && text.contains("seq")
                    {
                        let mut event: Value = serde_json::from_str(text).unwrap();
                        event["at"] =
                            (now + SignedDuration::from_millis(100 + place as i64)).to_string().into();
                        *text = event.to_string();
                    }
                }
                does.insert(1, Does::Wait(350));
            }),
        ),
        fault("lifecycle", "an order begins twice", with(|events| events[3]["type"] = "placed".into())),
        fault(
            "lifecycle",
            "an order ends twice",
            with(|events| {
                events[7]["order"] = "A".into();
                events[7]["type"] = "delivered".into();
            }),
        ),
        fault("lifecycle", "an event comes after the end", with(|events| events[7]["order"] = "A".into())),
        fault(
            "lifecycle",
            "an order begins in its middle",
            with(|events| {
                events[0]["type"] = "moved".into();
                events[3]["type"] = "placed".into();
            }),
        ),
    ];
    each_breaks_its_rule(Over::Subscribed, flags, faults).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_connections_are_found_each_by_its_rule() {
    let (_folder, flags) = files();
    let main_only = |change: fn(&mut Vec<Does>)| {
        but(move |asked, does| {
            if asked.number == 0 {
                change(does)
            }
        })
    };
    let faults = vec![
        fault(
            "connection",
            "it ends with code 1011",
            but(|asked, does| {
                if asked.number == 0 {
                    *does.last_mut().unwrap() = Does::Close(1011);
                }
            }),
        ),
        fault(
            "connection",
            "it ends without a word",
            main_only(|does| *does.last_mut().unwrap() = Does::Drop),
        ),
        fault("connection", "a binary message", main_only(|does| does.insert(2, Does::Binary))),
        fault(
            "connection",
            "a message of 1.2 MB",
            main_only(|does| {
                let place = does.len() - 1;
                does.insert(place, say(format!("{{\"type\":\"ping\",\"x\":\"{}\"}}", "x".repeat(1_200_000))));
            }),
        ),
        fault("silence", "no message for a while", but(|_, does| drop(does.pop()))).for_long(),
        fault(
            "resume",
            "the first event after the cut is lost",
            but(|asked, does| {
                if asked.after().is_some() {
                    does.remove(1);
                }
            }),
        ),
        fault(
            "resume",
            "the last event is lost",
            but(|asked, does| {
                if asked.after().is_some() {
                    does.remove(does.len() - 3);
                }
            }),
        ),
        fault(
            "resume",
            "nothing is resumed",
            but(|asked, does| {
                if asked.after().is_some() {
                    does.drain(1..does.len() - 1);
                }
            }),
        ),
        fault("resume", "the position is not read", {
            let events = orders();
            talk(move |asked| says(&events, 0, asked.number))
        }),
        fault(
            "resume",
            "an event is another one",
            but(|asked, does| {
                if asked.after().is_some() {
                    does.iter_mut().for_each(|one| {
                        if let Does::Say(text) = one {
                            *text = text.replace("\"items\":2", "\"items\":3");
                        }
                    });
                }
            }),
        ),
        fault(
            "fan-out",
            "a client gets an event less",
            but(|asked, does| {
                if asked.number == 1 {
                    does.remove(9);
                }
            }),
        ),
        fault(
            "fan-out",
            "a client gets another event",
            but(|asked, does| {
                if asked.number == 1 {
                    does.iter_mut().for_each(|one| {
                        if let Does::Say(text) = one {
                            *text = text.replace("\"items\":2", "\"items\":3");
                        }
                    });
                }
            }),
        ),
        fault(
            "fan-out",
            "a client gets nothing",
            but(|asked, does| {
                if asked.number == 1 {
                    does.drain(1..does.len() - 1);
                }
            }),
        ),
    ];
    each_breaks_its_rule(Over::Subscribed, flags, faults).await;
}

impl Fault {
    /// Listens for longer than the profile's silence.
    fn for_long(mut self) -> Self {
        self.flags.extend(["--gentle", "--limit", "silence.longest=400ms"].map(str::to_owned));
        self
    }
}

/// A server that refuses connections by their number.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_findings_of_what_was_tried() {
    let folder =
        Scratch::new().with("orders.toml", &PROFILE.replace("send = ['{\"op\":\"subscribe\"}']", ""));
    let profile = folder.path().join("orders.toml").display().to_string();
    let refusing = |refuses: fn(&super::server::Asked) -> bool| {
        let events = orders();
        talk(move |asked| match refuses(asked) {
            true => vec![Does::Refuse(403)],
            false => says(&events, asked.after().unwrap_or(0), asked.number),
        })
    };
    let flags = ["--profile", &profile, "--for", "500ms"].map(str::to_owned).to_vec();
    let faults = vec![
        fault("resume", "no resuming", refusing(|asked| asked.after().is_some())),
        fault("fan-out", "no second client", refusing(|asked| asked.number == 1)),
    ];
    each_breaks_its_rule(Over::Socket, flags.clone(), faults).await;
    // Without a first connection there is nothing to judge: that is no finding but the end.
    let mut args = serve(Over::Socket, refusing(|_| true)).await;
    args.extend(flags);
    let ran = validate(args).await;
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("answered HTTP 403: not you"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_may_begin_anywhere() {
    let (folder, flags) = files();
    let lines: String = orders()[3..].iter().map(|event| format!("{event}\n")).collect();
    let folder = folder.with("orders.ndjson", &lines);
    let file = folder.path().join("orders.ndjson").display().to_string();
    let ran = validate([&flags[..4], std::slice::from_ref(&file)].concat()).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let report = report_of(&ran);
    assert_eq!(rule(&report, "gap")["summary"], "5 sequence numbers, none missing");
    assert_eq!(rule(&report, "silence")["status"], "not_checked");
    let folder = folder.with("broken.ndjson", &lines.replace("\"e6\"", "\"e5\""));
    let file = folder.path().join("broken.ndjson").display().to_string();
    let ran = validate([&flags[..4], &[file]].concat()).await;
    assert_eq!(failures(&ran), [("duplicate".to_owned(), vec!["the id \"e5\" arrived twice".to_owned()])]);
}
