//! Faults of the messages and the stream of a server of orders.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::orders::{PROFILE, but, fault, files, limited, orders, with};
use super::server::Does;
use super::{Over, each_breaks_its_rule, failures, rule, serve, validate};
use crate::validate::command::json as report_of;

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
    assert_eq!(rule(&report, "resume")["summary"], "cut and resumed 3 times: 14 events replayed, none lost");
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

/// What was delivered before the listening began is a replay, after which the listening goes on.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_delivered_before_does_not_end_the_listening() {
    let (_folder, flags) = files();
    let past = with(|events| {
        for (event, n) in events.iter_mut().zip(10..) {
            event["at"] = format!("2020-01-01T00:00:{n}Z").into();
        }
    });
    let mut args = serve(Over::Subscribed, past).await;
    args.extend(flags[..4].iter().cloned());
    args.extend(["--timeout", "900ms", "--gentle"].map(str::to_owned));
    let found = failures(&validate(args).await);
    assert_eq!(found, [("lifecycle".to_owned(), vec!["\"B\" began and never ended".to_owned()])]);
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
    let began = std::sync::OnceLock::new();
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
                for event in &mut events[4..] {
                    event["seq"] = (event["seq"].as_u64().unwrap() + 10).into();
                }
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
                for event in events {
                    let at: Timestamp = event["at"].as_str().unwrap().parse().unwrap();
                    event["at"] = (at + SignedDuration::from_secs(60)).to_string().into();
                }
            }),
        ),
        limited(
            "latency",
            "events are held back",
            "latency.p50=40ms",
            but(move |_, does| {
                let now = *began.get_or_init(Timestamp::now);
                for one in does.iter_mut() {
                    if let Does::Say(text) = one
                        && text.contains("seq")
                    {
                        let mut event: Value = serde_json::from_str(text).unwrap();
                        event["at"] = (now
                            + SignedDuration::from_millis(100 + event["seq"].as_i64().unwrap()))
                        .to_string()
                        .into();
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
async fn a_recording_may_begin_and_end_anywhere() {
    let (folder, flags) = files();
    let lines: String = orders()[3..].iter().map(|event| format!("{event}\n")).collect();
    let folder = folder.with("orders.ndjson", &lines);
    let file = folder.path().join("orders.ndjson").display().to_string();
    let ran = validate([&flags[..4], std::slice::from_ref(&file)].concat()).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let report = report_of(&ran);
    assert_eq!(rule(&report, "gap")["summary"], "5 sequence numbers, none missing");
    assert_eq!(rule(&report, "silence")["status"], "not_checked");
    // The second order begins and is not delivered.
    let lines_of_all: String = orders().iter().map(|event| format!("{event}\n")).collect();
    let folder = folder.with("all.ndjson", &lines_of_all);
    let file = folder.path().join("all.ndjson").display().to_string();
    let ran = validate([&flags[..4], &[file]].concat()).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let folder = folder.with("broken.ndjson", &lines.replace("\"e6\"", "\"e5\""));
    let file = folder.path().join("broken.ndjson").display().to_string();
    let ran = validate([&flags[..4], &[file]].concat()).await;
    assert_eq!(failures(&ran), [("duplicate".to_owned(), vec!["the id \"e5\" arrived twice".to_owned()])]);
}

/// A clock that is hours behind makes every event look like a replay: then it is said that the limit compared nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_the_clock_that_compared_nothing_is_told() {
    const NOTHING_LIVE: &str = "no live event with a time arrived";
    const NO_ARRIVALS: &str = "arrival times are only checked with --url or --sse";
    let (folder, flags) = files();
    let falling = format!("{PROFILE}rising = false\n");
    let lines: String = orders().iter().map(|event| format!("{event}\n")).collect();
    let folder = folder.with("falling.toml", &falling).with("orders.ndjson", &lines);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let limit = ["--limit", "clock.skew=1s"].map(str::to_owned);
    for (profile, is_rising) in [(path("orders.toml"), true), (path("falling.toml"), false)] {
        let flags = [&flags[..1], &[profile], &flags[2..]].concat();
        let behind = with(|events| {
            for event in events {
                let at: Timestamp = event["at"].as_str().unwrap().parse().unwrap();
                event["at"] = (at - SignedDuration::from_hours(3)).to_string().into();
            }
        });
        let served = [&serve(Over::Subscribed, behind).await[..], &flags, &limit].concat();
        let recorded = [&flags[..4], &limit, &[path("orders.ndjson")]].concat();
        for (args, why) in [(served, NOTHING_LIVE), (recorded, NO_ARRIVALS)] {
            let ran = validate(args.clone()).await;
            assert_eq!(ran.status, Some(0), "{ran:?}");
            let report = report_of(&ran);
            let clock = rule(&report, "clock");
            if is_rising {
                assert_eq!(clock["status"], "passed", "{report:#}");
                let told = json!([{ "message": format!("clock.skew was not checked: {why}") }]);
                assert_eq!(report["targets"][0]["warnings"], told, "{report:#}");
            } else {
                assert_eq!((&clock["status"], &clock["why"]), (&json!("not_checked"), &json!(why)));
                assert_eq!(report["targets"][0]["warnings"], json!([]), "{report:#}");
            }
        }
    }
}

/// It is well-formed, and later than any time that can be read.
#[tokio::test(flavor = "multi_thread")]
async fn a_time_of_the_last_days_is_not_called_malformed() {
    let (folder, flags) = files();
    let mut last = orders()[0].clone();
    last["at"] = "9999-12-31T23:59:59Z".into();
    let folder = folder.with("last.ndjson", &format!("{last}\n"));
    let file = folder.path().join("last.ndjson").display().to_string();
    let ran = validate([&flags[..4], &[file]].concat()).await;
    let said: Vec<String> = failures(&ran).into_iter().flat_map(|(_, messages)| messages).collect();
    assert!(said.iter().any(|text| text.contains("no later one can be read")), "{ran:?}");
    assert!(!said.iter().any(|text| text.contains("an RFC 3339 time")), "{ran:?}");
}
