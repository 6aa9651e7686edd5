//! `CloudEvents` of any source: the shipped profile `cloudevents`.

use serde_json::{Value, json};

use super::server::{Talk, say, talk};
use super::{Fault, Over, each_breaks_its_rule, rule, serve, validate};
use crate::validate::command::json as report_of;

fn with(change: impl Fn(&mut Vec<Value>) + Send + Sync + 'static) -> Talk {
    talk(move |_| {
        let mut events: Vec<Value> = (0..6)
            .map(|n| {
                // Each id comes twice, from two sources; times may fall.
                json!({
                    "specversion": "1.0", "id": (n / 2).to_string(), "source": format!("/shops/{}", n % 2),
                    "type": "sold", "time": format!("2026-11-22T10:00:{:02}Z", 59 - n), "data": { "n": n }
                })
            })
            .collect();
        change(&mut events);
        events
            .iter()
            .map(|event| say(event.as_str().map_or_else(|| event.to_string(), str::to_owned)))
            .collect()
    })
}

fn flags() -> Vec<String> {
    ["--profile", "cloudevents", "--for", "500ms"].map(str::to_owned).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_server_passes() {
    let mut args =
        serve(Over::Socket, with(|events| drop(events[1].as_object_mut().unwrap().remove("time")))).await;
    args.extend(flags());
    let ran = validate(args).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let report = report_of(&ran);
    assert_eq!(rule(&report, "envelope")["summary"], "6 messages are CloudEvents 1.0");
    assert_eq!(rule(&report, "duplicate")["summary"], "6 events, each once");
    assert_eq!(rule(&report, "clock")["status"], "not_checked");
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_found_each_by_its_rule() {
    let fault = |rule, way, talk| Fault { rule, way, flags: Vec::new(), talk };
    let set = |field: &'static str, value: Value| with(move |events| events[2][field] = value.clone());
    let faults = vec![
        fault("envelope", "another version", set("specversion", json!("0.3"))),
        fault("envelope", "no id", with(|events| drop(events[2].as_object_mut().unwrap().remove("id")))),
        fault("envelope", "an attribute in capitals", set("traceId", json!("x"))),
        fault("envelope", "a source that is no URI", set("source", json!("a b"))),
        fault("envelope", "a time that is none", set("time", json!("noon"))),
        fault("envelope", "not JSON", with(|events| events[2] = "{".into())),
        fault("envelope", "no object", with(|events| events[2] = "[]".into())),
        fault("duplicate", "an event comes twice", with(|events| events.insert(3, events[2].clone()))),
    ];
    each_breaks_its_rule(Over::Socket, flags(), faults).await;
}
