//! The real binary: recorded, checked, replayed and recorded again.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Tape, with};
use crate::harness::{PATIENCE, Scratch, Serving, get, incident, metrics, ms, resolved, started};

/// The payloads of each incident, in order.
fn told(recording: &str) -> BTreeMap<String, Vec<Value>> {
    let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in recording.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let subject = event["subject"].as_str().unwrap().to_owned();
        told.entry(subject).or_default().push(event["data"].clone());
    }
    told
}

/// Waits until so many incidents are over.
pub async fn over(server: &Serving, count: usize) {
    let over = async {
        loop {
            let list = get(server.address(), "/api/incidents").await.json();
            let incidents = list["incidents"].as_array().unwrap();
            if incidents.iter().filter(|incident| incident["state"] != "open").count() >= count {
                return;
            }
            tokio::time::sleep(ms(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, over).await.unwrap_or_else(|_| panic!("{count} incidents are over"));
}

/// Everything that a server has, recorded.
pub fn recorded(server: &Serving, file: &str) -> String {
    let ran = server.incident(&["watch", "--after", "0", "--no-follow", "--record", file, "--quiet"]).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    std::fs::read_to_string(file).unwrap()
}

/// A recording of two incidents beside each other, at speed 200.
pub async fn two(file: &str) -> String {
    let triggers = ["--trigger", "database-outage", "--trigger", "github-2018-mysql-failover"];
    let server = Serving::with(&[&triggers[..], &["--speed", "200", "--journal", "memory"]].concat());
    over(&server, 2).await;
    recorded(&server, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_replayed_and_recorded_again_is_what_was_recorded() {
    let folder = Scratch::new();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let first = two(&file("first.ndjson")).await;
    let ran = incident(&["validate", &file("first.ndjson")]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let server = Serving::with(&["--replay", &file("first.ndjson"), "--speed", "3"]);
    over(&server, 2).await;
    let second = recorded(&server, &file("second.ndjson"));
    let ran = incident(&["validate", &file("second.ndjson")]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let (first, mut second) = (told(&first), told(&second));
    assert_eq!(first.len(), 2);
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (subject, before) in &first {
        let after = second.get_mut(subject).unwrap();
        assert_eq!((before[0]["speed"].as_f64(), after[0]["speed"].as_f64()), (Some(200.0), Some(600.0)));
        for field in ["speed", "impact_started_at"] {
            after[0][field] = before[0][field].clone();
        }
        let punctual = |events: &[Value]| {
            let mut events = events.to_vec();
            // A machine that is busy with other tests.
            events.iter_mut().filter_map(Value::as_object_mut).for_each(|event| drop(event.remove("late_s")));
            events
        };
        assert!(before.len() > 100);
        assert_eq!(punctual(before), punctual(after));
    }
}

/// As fast as it was, live, beside something else, judged by its arrival times.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_keeps_its_pace_and_lets_others_play() {
    let folder = Scratch::new();
    let file = folder.path().join("first.ndjson").display().to_string();
    two(&file).await;
    // 0.9 s of recording, a third as fast.
    let server = Serving::with(&["--replay", &file, "--speed", "0.3", "--trigger", "database-outage"]);
    let args =
        ["validate", "--rule", "pacing", "--rule", "gap", "--limit", "pacing.late=1s", "--format", "json"];
    let ran = server.incident(&args).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let list = get(server.address(), "/api/incidents").await.json();
    assert_eq!(list["incidents"].as_array().unwrap().len(), 3, "{list}");
}

#[test]
fn the_banner_says_what_is_replayed_and_warnings_come_before_it() {
    let tape = Tape::of("S1")
        .at(0, &metrics("late", 7))
        .at(500, &started("a"))
        .at(2_500, &started("b"))
        .at(180_500, &with(resolved("b", 2), |data| data["offset_s"] = json!(178.0)));
    let folder = Scratch::new().with("run.ndjson", &tape.text);
    let file = folder.path().join("run.ndjson").display().to_string();
    for (speed, banner) in
        [("1", "(2 incidents, 03:00 at speed 1)"), ("90", "(2 incidents, 00:02 at speed 90)")]
    {
        let args = ["serve", "--port", "0", "--replay", &file, "--speed", speed, "--journal", "memory"];
        let mut server = incident(&args).spawn();
        let line = server.says("Replay ");
        assert_eq!(line.trim_start(), format!("Replay     {file} {banner}"));
        server.says("Ready in");
        server.signal("TERM");
        let ran = server.end();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        let warnings: Vec<&str> =
            ran.stderr.lines().take_while(|line| line.starts_with("warning: ")).collect();
        assert_eq!(warnings.len(), 2, "{ran:?}");
        assert!(
            warnings[0].ends_with("run.ndjson: not played, because the start is missing: late"),
            "{ran:?}"
        );
        assert!(warnings[1].ends_with("because the resolution is missing: a"), "{ran:?}");
    }
    let quiet = ["serve", "--port", "0", "--replay", &file, "--journal", "memory", "--quiet", "--json"];
    let mut server = incident(&quiet).spawn();
    server.lines().recv_timeout(PATIENCE).unwrap();
    server.signal("TERM");
    let ran = server.end();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
}

#[test]
fn what_can_not_be_replayed_is_told_before_anything_listens() {
    let tape = Tape::of("S1").at(0, &started("a")).at(5, &metrics("a", 2)).at(5, &resolved("a", 3));
    let gap: String = tape
        .text
        .lines()
        .filter(|line| !line.contains("system_metrics"))
        .map(|line| format!("{line}\n"))
        .collect();
    let folder =
        Scratch::new().with("run.ndjson", &tape.text).with("gap.ndjson", &gap).with("empty.ndjson", "");
    let file = |name: &str| folder.path().join(name).display().to_string();
    for (name, speed, status, told, hint) in [
        (
            "nowhere.ndjson",
            "1",
            2,
            "nowhere.ndjson cannot be read: no such file",
            "incident watch --record FILE",
        ),
        (
            "gap.ndjson",
            "1",
            2,
            "gap.ndjson:2: index 3 of a follows, but index 2 is missing",
            "incident validate ",
        ),
        ("empty.ndjson", "1", 2, "empty.ndjson has no incident to play: it has no events", "--after 0"),
        ("run.ndjson", "0", 2, "the speed must be a number from 0.001 to 10000", "--help"),
    ] {
        let args = ["serve", "--port", "0", "--json", "--replay", &file(name), "--speed", speed];
        let ran = incident(&args).run();
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(status), ""), "{ran:?}");
        assert!(ran.stderr.contains(told) && ran.stderr.contains(hint), "{}", ran.stderr);
    }
    let fast = tape.text.replace("\"speed\":1.0", "\"speed\":3000.0");
    let folder = Scratch::new().with("fast.ndjson", &fast);
    let file = folder.path().join("fast.ndjson").display().to_string();
    let ran = incident(&["serve", "--port", "0", "--json", "--replay", &file, "--speed", "4"]).run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    let told = "a was recorded at speed 3000; 4 times that speed is 12000, which is out of range";
    assert!(ran.stderr.contains(told) && ran.stderr.contains("--speed 3 or less"), "{}", ran.stderr);
}
