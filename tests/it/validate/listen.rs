//! `incident validate --url`: a running server, ours or anyone's, is listened to.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use super::command::{json, shipped, statuses};
use super::sound::{Stream, sound};
use crate::harness::{PATIENCE, Ran, Scratch, Serving, incident, ms};

/// A server of somebody else: it says these lines to everyone and then nothing. Its URL.
async fn foreign(told: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/stream", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let told = told.clone();
            tokio::spawn(async move {
                // It does not know our subprotocol either, so a first connection comes to nothing.
                let mut socket = tokio_tungstenite::accept_async(tcp).await.unwrap();
                for line in told {
                    let Ok(()) = socket.send(Message::text(line)).await else { return };
                }
                while socket.next().await.is_some() {}
            });
        }
    });
    url
}

/// `incident validate --url … --format json`, on a thread of its own: the server needs this one.
async fn judged(url: String, args: &'static [&'static str]) -> Ran {
    let run = move || incident(&[&["validate", "--url", &url, "--format", "json"], args].concat()).run();
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// A greeting that promises 50 events and a heartbeat every 200 ms, and so many of the events.
fn promising(events: usize) -> Vec<String> {
    let mut stream: Stream = sound();
    stream.frames.retain(|(frame, _)| frame["type"] != "heartbeat");
    stream.greeting()["head"] = 50.into();
    stream.greeting()["heartbeat_ms"] = 200.into();
    stream.greeting()["follows"]["to"] = 50.into();
    stream.frames.iter().take(events + 1).map(|(frame, _)| frame.to_string()).collect()
}

fn rule<'a>(report: &'a Value, name: &str) -> &'a Value {
    let rules = report["targets"][0]["rules"].as_array().unwrap();
    rules.iter().find(|rule| rule["rule"] == name).unwrap()
}

#[test]
fn a_running_server_is_triggered_and_judged() {
    let server = Serving::with(&["--speed", "60", "--heartbeat", "1s"]);
    // On a busy machine events are late.
    let late =
        ["--limit", "pacing.late=9s", "--limit", "silence.longest=9s", "--limit", "heartbeat.intervals=9"];
    let ran = server
        .incident(&[&["validate", "--trigger", "database-outage", "--format", "json"], &late[..]].concat())
        .run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let statuses = statuses(&json(&ran));
    for rule in ["expect", "pacing", "silence", "heartbeat", "lifecycle"] {
        assert!(statuses.contains(&(rule.to_owned(), "passed".to_owned())), "{rule}: {statuses:?}");
    }
    let ran = server.incident(&["validate", "--trigger", "databse-outage"]).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("did you mean"), "{ran:?}");
}

/// What people publish is not held to what is expected of the drill.
#[test]
fn real_incidents_of_the_server_are_not_the_one_that_was_triggered() {
    let server = Serving::with(&["--speed", "60", "--heartbeat", "1s"]);
    for subject in ["pay-7", "c42"] {
        let args = ["publish", "started", "--subject", subject, "--title", "T", "--severity", "SEV3"];
        let ran = server.incident(&[&args[..], &["--service", "pay"]].concat()).run();
        assert_eq!(ran.status, Some(0), "{ran:?}");
    }
    let ran = server.incident(&["publish", "resolved", "--subject", "c42", "done"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let args = ["validate", "--trigger", "database-outage", "--rule", "expect", "--format", "json"];
    let ran = server.incident(&args).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(statuses(&json(&ran)).contains(&("expect".to_owned(), "passed".to_owned())), "{ran:?}");
}

#[test]
fn listening_to_a_quiet_server_for_a_while_is_no_pass() {
    let server = Serving::with(&["--heartbeat", "200ms"]);
    let ran = server.incident(&["validate", "--for", "1s", "--format", "json"]).run();
    let report = json(&ran);
    let statuses = statuses(&report);
    assert!(statuses.contains(&("heartbeat".to_owned(), "passed".to_owned())), "{statuses:?}");
    assert!(statuses.contains(&("lifecycle".to_owned(), "not_checked".to_owned())), "{statuses:?}");
    assert_eq!(report["passed"], false);
    assert_eq!(report["targets"][0]["nothing_checked"], "no event of an incident arrived");
    assert_eq!(ran.status, Some(5));
    let ran = server.incident(&["validate", "--for", "1s", "--quiet"]).run();
    assert!(ran.stdout.contains("no event of an incident arrived"), "{ran:?}");
}

#[test]
fn an_incident_of_others_may_stay_open() {
    let server = Serving::with(&["--trigger", "github-2018-mysql-failover", "--heartbeat", "1s"]);
    // Its resolution is replayed, and ends no listening.
    let before = server.incident(&["trigger", "database-outage", "--speed", "1000"]).run();
    assert_eq!(before.status, Some(0), "{before:?}");
    let listening = server.incident(&["validate", "--limit", "pacing.late=2s", "--format", "json"]).spawn();
    std::thread::sleep(ms(1000));
    let live = server.incident(&["trigger", "database-outage", "--speed", "200"]).run();
    assert_eq!(live.status, Some(0), "{live:?}");
    let ran = listening.end();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let report = json(&ran);
    assert_eq!(rule(&report, "lifecycle")["summary"], "3 incidents: 2 resolved, 1 still open", "{report}");
    // Nor is what is expected of the triggered one expected of them.
    let ran =
        server.incident(&["validate", "--for", "1s", "--expect", &shipped("database-outage.toml")]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
}

/// A server of somebody else that forgets one event.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_server_that_loses_an_event_is_found_out() {
    let recording = {
        let server = Serving::with(&["--speed", "1000"]);
        server.incident(&["trigger", "database-outage"]).run();
        server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run().stdout
    };
    let told = recording.lines().filter(|line| !line.contains("\"index\":40,")).map(str::to_owned);
    let ran = judged(foreign(told.collect()).await, &["--rule", "gap", "--rule", "order"]).await;
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let expected = [("order".to_owned(), "passed".to_owned()), ("gap".to_owned(), "failed".to_owned())];
    assert_eq!(statuses(&json(&ran)), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_promises_and_then_says_nothing_is_found_out() {
    let ran = judged(foreign(promising(0)).await, &["--for", "2s"]).await;
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let report = json(&ran);
    let failed = |name: &str| rule(&report, name)["findings"][0]["message"].as_str().unwrap().to_owned();
    assert_eq!(failed("gap"), "positions 1 to 50 are missing");
    assert!(failed("heartbeat").starts_with("no message for "), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_is_found_out() {
    let ran = judged(foreign(promising(3)).await, &["--for", "2s"]).await;
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let report = json(&ran);
    assert_eq!(rule(&report, "gap")["findings"][0]["message"], "positions 4 to 50 are missing");
    assert_eq!(rule(&report, "heartbeat")["status"], "failed");
    assert_eq!(rule(&report, "lifecycle")["summary"], "1 incident: still open");
}

/// What becomes of `validate` with these arguments when Ctrl-C comes while the announced events still come.
async fn interrupted(args: &[&str]) -> Ran {
    let folder = Scratch::new();
    let transcripts = folder.path().join("tr").display().to_string();
    let mut stream: Stream = sound();
    stream.frames.retain(|(frame, _)| frame["type"] != "heartbeat");
    stream.greeting()["head"] = 50.into();
    stream.greeting()["heartbeat_ms"] = 60_000.into();
    stream.greeting()["follows"]["to"] = 50.into();
    let told: Vec<String> = stream.frames.iter().take(40).map(|(frame, _)| frame.to_string()).collect();
    let url = foreign(told).await;
    let fixed = ["validate", "--url", &url, "--clients", "1", "--for", "60s", "--rule", "gap"];
    let running = incident(&[&fixed[..], &["--transcripts", &transcripts], args].concat()).spawn();
    // What is in the transcript was judged.
    let begun = Instant::now();
    while std::fs::metadata(folder.path().join("tr/server.ndjson")).map_or(0, |file| file.len()) == 0 {
        assert!(begun.elapsed() < PATIENCE, "nothing was judged");
        tokio::time::sleep(ms(20)).await;
    }
    running.signal("INT");
    tokio::task::spawn_blocking(move || running.end()).await.unwrap()
}

/// The rest of the events is not missing.
#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_in_the_middle_of_a_replay_is_no_fault_of_the_server() {
    let ran = interrupted(&[]).await;
    assert_eq!(ran.status, Some(130), "{ran:?}");
    assert!(!ran.stdout.contains("FAIL"), "{ran:?}");
    let said = "1 passed, 0 failed, 0 not checked; interrupted: 1 target was not checked to its end";
    assert!(ran.stdout.contains("1 check, and then interrupted") && ran.stdout.contains(said), "{ran:?}");
}

/// A report file keeps no exit status.
#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_is_told_everywhere() {
    let folder = Scratch::new();
    let file = |kind: &str| folder.path().join(kind).display().to_string();
    let reports: Vec<String> =
        ["json", "junit", "sarif", "github"].map(|kind| format!("{kind}={}", file(kind))).into();
    let ran = interrupted(&["--quiet", "--report", &reports.join(",")]).await;
    assert_eq!(ran.status, Some(130), "{ran:?}");
    assert_eq!(ran.stderr, "interrupted: 1 target was not checked to its end\n");
    assert_eq!(ran.stdout, "");
    let read = |kind: &str| std::fs::read_to_string(file(kind)).unwrap();
    let object = |kind: &str| serde_json::from_str::<Value>(&read(kind)).unwrap();
    let report = object("json");
    assert_eq!((&report["passed"], &report["interrupted"]), (&false.into(), &true.into()), "{report:#}");
    assert_eq!(report["targets"][0]["interrupted"], true, "{report:#}");
    assert!(
        read("junit").contains("<testcase name=\"interrupted\"") && read("junit").contains("errors=\"1\"")
    );
    let run = &object("sarif")["runs"][0];
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false, "{run:#}");
    let said = &invocation["toolExecutionNotifications"][0]["message"]["text"];
    assert_eq!(said, "interrupted: 1 target was not checked to its end", "{run:#}");
    assert!(
        read("github").contains("::error title=incident validate%3A interrupted::"),
        "{}",
        read("github")
    );
}

#[test]
fn a_cancelled_incident_is_sound() {
    let server = Serving::with(&["--speed", "20"]);
    let ran = server.incident(&["trigger", "database-outage", "--no-wait"]).run();
    let id = ran.stdout.trim().to_owned();
    let watched = || server.incident(&["watch", "--after", "0", "--no-follow", "--json"]).run().stdout;
    let begun = Instant::now();
    while watched().lines().count() < 30 {
        assert!(begun.elapsed() < PATIENCE, "no events");
        std::thread::sleep(Duration::from_millis(100));
    }
    let ran = server.incident(&["trigger", "--cancel", &id]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let recording = watched();
    assert!(recording.contains("\"outcome\":\"cancelled\""), "{recording}");
    let folder = Scratch::new().with("cancelled.ndjson", &recording);
    let ran =
        incident(&["validate", &folder.path().join("cancelled.ndjson").display().to_string(), "-v"]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("1 incident: cancelled"), "{}", ran.stdout);
}
