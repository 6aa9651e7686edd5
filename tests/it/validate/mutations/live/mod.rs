//! Faults of a running server, found by `incident validate --url`, and found again in the transcript that it leaves.

mod faults;

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Semaphore;

use super::server::{Act, Answer, SPEED, Script, acts, serve};
use crate::harness::{Scratch, Serving, incident, ms};
use crate::validate::command::json;
use crate::validate::sound::{Stream, sound};
use faults::FAULTS;

/// A fault of a running server.
struct Live {
    name: &'static str,
    rule: &'static str,
    says: &'static str,
    make: fn(&mut Script, &mut Stream),
    /// Arguments beside those that all have.
    args: &'static [&'static str],
}

const fn live(
    name: &'static str,
    rule: &'static str,
    says: &'static str,
    args: &'static [&'static str],
    make: fn(&mut Script, &mut Stream),
) -> Live {
    Live { name, rule, says, make, args }
}

/// A stream that a server can play in two seconds.
fn quick() -> Stream {
    let mut stream = sound();
    stream.greeting()["heartbeat_ms"] = 1_000.into();
    let start = stream.events()[0];
    stream.data(start)["speed"] = SPEED.into();
    stream
}

/// The rules that failed, each with its findings as text.
fn failed(report: &Value) -> Vec<(String, String)> {
    let rules = report["targets"][0]["rules"].as_array().unwrap().iter();
    let failed = rules.filter(|rule| rule["status"] == "failed");
    failed.map(|rule| (rule["rule"].as_str().unwrap().to_owned(), rule["findings"].to_string())).collect()
}

/// What is wrong with what was found of a server, or again in its transcript.
fn judge(url: &str, fault: &Live) -> Result<(), String> {
    let folder = Scratch::new();
    let common: &[&str] = &["validate", "--format", "json"];
    // Under load a second may pass anywhere.
    let late: &[&str] = match fault.rule {
        "pacing" => &["--limit", "pacing.late=2s"],
        "silence" => &[],
        "heartbeat" => &["--limit", "pacing.late=9s"],
        // The server says nothing more after its last event.
        _ => &["--limit", "pacing.late=9s", "--limit", "heartbeat.intervals=9"],
    };
    let live = [common, &["--url", url, "--transcripts", folder.text()], fault.args, late].concat();
    let ran = incident(&live).run();
    let limits: Vec<&str> =
        fault.args.iter().chain(late).copied().skip_while(|arg| *arg != "--limit").collect();
    let report = json(&ran);
    let mut seen = failed(&report);
    let is_right = ran.status == Some(5)
        && matches!(&*seen, [(rule, found)] if rule == fault.rule && found.replace("\\\"", "\"").contains(fault.says));
    if !is_right {
        for (_, found) in &mut seen {
            found.truncate(400);
        }
        return Err(format!("{}: exit {:?}, {seen:?}", fault.name, ran.status));
    }
    let transcript = report["targets"][0]["transcript"].as_str().unwrap();
    let again = incident(&[common, &limits[..], &[transcript]].concat()).run();
    let again = json(&again);
    if again["targets"][0]["rules"] != report["targets"][0]["rules"] {
        return Err(format!(
            "{}: its transcript has {:?}, the server had {seen:?}",
            fault.name,
            failed(&again)
        ));
    }
    Ok(())
}

fn good_script(stream: &Stream) -> Script {
    Script {
        main: acts(stream),
        twin: acts(stream),
        resumed: |events| Answer::Greeted(None, events),
        wrong: |answer| answer,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_running_servers_are_found_there_and_in_their_transcripts() {
    assert!(FAULTS.len() >= 25);
    // A few at a time, so that none is late because of the others.
    let turns = Arc::new(Semaphore::new(6));
    let mut judging = tokio::task::JoinSet::new();
    for fault in FAULTS {
        let turns = Arc::clone(&turns);
        judging.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            let mut stream = quick();
            let mut script = good_script(&stream);
            (fault.make)(&mut script, &mut stream);
            let url = serve(script, &stream).await;
            tokio::task::spawn_blocking(move || judge(&url, fault)).await.unwrap()
        });
    }
    let missed: Vec<String> = judging.join_all().await.into_iter().filter_map(Result::err).collect();
    assert!(missed.is_empty(), "{} were misjudged:\n{}", missed.len(), missed.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_server_passes() {
    let stream = quick();
    let url = serve(good_script(&stream), &stream).await;
    let judging = move || {
        incident(&["validate", "--url", &url, "--for", "3s", "--limit", "pacing.late=9s", "--format", "json"])
            .run()
    };
    let ran = tokio::task::spawn_blocking(judging).await.unwrap();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let report = json(&ran);
    let passed: Vec<&str> = report["targets"][0]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|rule| rule["status"] == "passed")
        .map(|rule| rule["rule"].as_str().unwrap())
        .collect();
    for rule in ["connection", "resume", "fan-out", "positions", "pacing", "heartbeat"] {
        assert!(passed.contains(&rule), "{rule}: {report}");
    }
}

#[test]
fn a_server_that_is_killed_is_found_out() {
    let server = Serving::with(&["--trigger", "database-outage", "--speed", "10", "--heartbeat", "1s"]);
    let mut listening = server
        .incident(&[
            "validate",
            "--for",
            "60s",
            "--limit",
            "pacing.late=9s",
            "--format",
            "json",
            "--gentle",
            "--verbose",
        ])
        .spawn();
    let lines = listening.lines();
    std::thread::sleep(ms(2_000));
    server.signal("KILL");
    let report: String = lines.iter().collect();
    let ran = listening.end();
    assert_eq!(ran.status, Some(5), "{ran:?}");
    let report: Value = serde_json::from_str(&report).unwrap();
    let failed = failed(&report);
    assert!(
        failed
            .iter()
            .any(|(rule, found)| rule == "connection" && found.contains("the connection was lost after")),
        "{failed:?}"
    );
    assert_eq!(failed.len(), 1, "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn control_c_ends_the_waiting_for_a_server_that_hangs() {
    let stream = quick();
    let mut stuck = good_script(&stream);
    stuck.twin = vec![Act::Wait(60.0)];
    let mut resuming = good_script(&stream);
    resuming.resumed = |_| Answer::Hang;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cases = [
        ("connecting", format!("ws://{}/ws", silent.local_addr().unwrap()), 1_000),
        ("another client", serve(stuck, &stream).await, 1_000),
        ("resuming", serve(resuming, &stream).await, 6_000),
    ];
    for (what, url, after) in cases {
        let judging = move || {
            let limits = ["--limit", "pacing.late=9s", "--limit", "heartbeat.intervals=9"];
            let running =
                incident(&[&["validate", "--url", &url, "--for", "3s"], &limits[..]].concat()).spawn();
            std::thread::sleep(ms(after));
            let begun = std::time::Instant::now();
            running.signal("INT");
            (running.end(), begun.elapsed())
        };
        let (ran, took) = tokio::task::spawn_blocking(judging).await.unwrap();
        // Also where no event came yet: that it was left says more than that nothing was checked.
        assert_eq!(ran.status, Some(130), "{what}: {ran:?}");
        assert!(took < ms(5_000), "{what}: {took:?}");
    }
}
