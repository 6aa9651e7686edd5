//! Bare messages with a type and a timestamp: the shipped profile `plain`, over a WebSocket.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::server::{Does, Talk, say, talk};
use super::{Fault, Over, each_breaks_its_rule, rule, serve, validate};
use crate::validate::command::json as report_of;

fn with(change: impl Fn(&mut Vec<Value>) + Send + Sync + 'static) -> Talk {
    let began = Timestamp::now();
    talk(move |_| {
        let mut events: Vec<Value> = (0..6)
            .map(|n| {
                let at = began + SignedDuration::from_millis(n);
                json!({ "type": "tick", "timestamp": at, "data": { "n": n } })
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
    ["--profile", "plain", "--for", "500ms"].map(str::to_owned).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_server_passes_and_what_is_not_known_is_not_checked() {
    let mut args = serve(Over::Socket, with(|_| {})).await;
    args.extend(flags());
    let ran = validate(args).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let report = report_of(&ran);
    for name in ["connection", "schema", "clock", "fan-out"] {
        assert_eq!(rule(&report, name)["status"], "passed", "{name}: {report:#}");
    }
    for (name, why) in [
        ("order", "the profile names no sequence number"),
        ("gap", "the profile names no sequence number"),
        ("duplicate", "the profile names neither a sequence number nor an id that is unique"),
        ("lifecycle", "the profile names no types that begin or end something"),
        ("resume", "the profile has no resume template"),
        ("silence", "the profile promises no silence, and --limit silence.longest is not set"),
        ("greeting", "not part of the profile"),
    ] {
        assert_eq!(rule(&report, name)["why"], why, "{report:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_found_each_by_its_rule() {
    let fault = |rule, way, talk| Fault { rule, way, flags: Vec::new(), talk };
    let faults = vec![
        fault("schema", "no type", with(|events| drop(events[2].as_object_mut().unwrap().remove("type")))),
        fault(
            "schema",
            "no timestamp",
            with(|events| drop(events[2].as_object_mut().unwrap().remove("timestamp"))),
        ),
        fault(
            "schema",
            "a timestamp without a zone",
            with(|events| events[2]["timestamp"] = "2026-11-22T10:00:00".into()),
        ),
        fault("schema", "a word", with(|events| events[2] = "hello".into())),
        fault(
            "clock",
            "the time goes back",
            with(|events| events[3]["timestamp"] = "2020-01-01T00:00:00Z".into()),
        ),
        fault("fan-out", "clients get different events", {
            talk(|asked| {
                let time = Timestamp::now();
                vec![
                    say(json!({ "type": "tick", "timestamp": time, "client": asked.number }).to_string()),
                    Does::Wait(1),
                ]
            })
        }),
    ];
    each_breaks_its_rule(Over::Socket, flags(), faults).await;
}
