//! `incident trigger`: starting, following and cancelling, and what it says when it can't.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::Value;

use crate::harness::{PATIENCE, Ran, Serving, envelope, get, incident};

/// A server that answers every request with one status, and its WebSocket URL.
pub fn answering(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            // One read holds the whole request: it is small and sent at once.
            if stream.read(&mut head).is_ok_and(|length| length > 0) {
                let body = "go away\n";
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    });
    url
}

fn incident_of(ran: &Ran) -> String {
    ran.stdout.split_whitespace().next().unwrap_or_else(|| panic!("{ran:?}")).to_owned()
}

#[test]
fn in_a_pipe_the_result_is_one_line() {
    let server = Serving::with(&[]);
    let ran = server.incident(&["trigger", "database-outage", "--speed", "1000"]).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let id = incident_of(&ran);
    assert!(id.starts_with("database-outage-") && id.len() == 21, "{id}");
    assert_eq!(ran.stdout, format!("{id} resolved 180.0 30333.33\n"));
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines[0], format!("{id}  SEV1  Primary database connection pool exhausted"));
    let phases: Vec<&str> = lines[1..].iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(phases, ["detect", "diagnose", "predict", "resolve", "verify"], "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stderr.contains('\r'), "nothing animates off a terminal");
}

#[test]
fn quiet_says_nothing_but_the_result() {
    let server = Serving::with(&["--speed", "1000"]);
    let ran = server.incident(&["trigger", "database-outage", "--quiet"]).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(ran.stdout.lines().count(), 1);
}

#[test]
fn json_is_every_event_of_the_incident_as_it_came() {
    let server = Serving::with(&["--speed", "1000", "--trigger", "github-2018-mysql-failover"]);
    let ran = server.incident(&["trigger", "database-outage", "--json", "--seed", "7"]).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    let events: Vec<_> = ran.stdout.lines().map(envelope).collect();
    let indices: Vec<u64> = events.iter().map(|event| event.index.unwrap()).collect();
    assert_eq!(indices, (1..=events.len() as u64).collect::<Vec<_>>(), "all of it, and of no other");
    assert_eq!(events[0].kind, "incident_started");
    assert_eq!(events.last().unwrap().kind, "incident_resolved");
    let started: Value = serde_json::from_str(events[0].data.get()).unwrap();
    assert_eq!(started["run"]["seed"], 7);
}

#[tokio::test]
async fn without_waiting_it_names_the_incident_and_leaves() {
    let server = Serving::with(&[]);
    let ran = server.incident(&["trigger", "database-outage", "--no-wait"]).run();
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    let id = incident_of(&ran);
    assert_eq!(ran.stdout, format!("{id}\n"));
    let one = get(server.address(), &format!("/api/incidents/{id}")).await;
    assert_eq!(one.json()["state"], "open");
}

#[test]
fn an_incident_that_takes_too_long_is_left_with_4() {
    let server = Serving::with(&[]);
    let ran = server.incident(&["trigger", "database-outage", "--timeout", "300ms"]).run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(4), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("300ms") && ran.stderr.contains("it goes on"), "{}", ran.stderr);
    assert!(ran.stderr.contains("incident watch --incident database-outage-"), "{}", ran.stderr);
}

#[test]
fn a_cancelled_incident_ends_its_follower_with_4() {
    let server = Serving::with(&[]);
    let mut following = server.incident(&["trigger", "database-outage", "--json"]).spawn();
    let first = following.lines().recv_timeout(PATIENCE).unwrap();
    let id = envelope(&first).incident().to_owned();
    let cancelled = server.incident(&["trigger", "--cancel", &id]).run();
    assert_eq!((cancelled.status, cancelled.stdout.as_str()), (Some(0), ""), "{}", cancelled.stderr);
    assert!(cancelled.stderr.contains(&id), "{}", cancelled.stderr);
    let ran = following.end();
    assert_eq!(ran.status, Some(4), "whether its reader is gone or not: {ran:?}");

    let again = server.incident(&["trigger", "--cancel", &id]).run();
    assert_eq!(again.status, Some(0), "{}", again.stderr);
    assert!(again.stderr.contains("is already cancelled"), "{}", again.stderr);
    let nobody = server.incident(&["trigger", "--cancel", "nobody"]).run();
    assert_eq!(nobody.status, Some(2), "{}", nobody.stderr);
}

#[test]
fn cancelled_in_a_pipe_says_so() {
    let server = Serving::with(&[]);
    let following = server.incident(&["trigger", "database-outage"]).spawn();
    let mut watching = server.incident(&["watch", "--json", "--after", "0"]).spawn();
    let first = watching.lines().recv_timeout(PATIENCE).unwrap();
    let id = envelope(&first).incident().to_owned();
    assert_eq!(server.incident(&["trigger", "--cancel", &id]).run().status, Some(0));
    let ran = following.end();
    assert_eq!(ran.status, Some(4), "{}", ran.stderr);
    assert!(ran.stdout.starts_with(&format!("{id} cancelled ")), "{}", ran.stdout);
}

#[test]
fn ctrl_c_leaves_the_incident_and_says_so() {
    let server = Serving::with(&[]);
    let mut following = server.incident(&["trigger", "database-outage"]).spawn();
    following.says("SEV1");
    following.signal("INT");
    let ran = following.end();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(
        ran.stderr.contains("goes on") && ran.stderr.contains("incident watch --incident"),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_unknown_scenario_is_a_usage_error_with_what_was_meant() {
    let server = Serving::with(&[]);
    let ran = server.incident(&["trigger", "databse-outage"]).run();
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("did you mean \"database-outage\"?"), "{}", ran.stderr);
}

#[test]
fn without_a_server_it_says_how_to_start_one() {
    for command in [&["trigger", "database-outage"][..], &["trigger", "--cancel", "x"], &["watch"]] {
        let args = [command, &["--url", "ws://127.0.0.1:1/ws"]].concat();
        let ran = incident(&args).run();
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(3), ""), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("127.0.0.1:1") && ran.stderr.contains("incident serve"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_server_that_refuses_is_quoted_with_its_status() {
    for (status, number) in [("404 Not Found", "404"), ("401 Unauthorized", "401"), ("503 Busy", "503")] {
        let url = answering(status);
        for command in [&["watch", "--url", &url][..], &["trigger", "database-outage", "--url", &url]] {
            let ran = incident(command).run();
            assert_eq!((ran.status, ran.stdout.as_str()), (Some(3), ""), "{command:?}: {}", ran.stderr);
            assert!(ran.stderr.contains(number) && ran.stderr.contains("go away"), "{}", ran.stderr);
        }
    }
}

#[test]
fn the_url_may_come_from_the_environment() {
    let server = Serving::with(&["--speed", "1000"]);
    let ran = incident(&["trigger", "database-outage"]).env("INCIDENT_URL", server.url()).run();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
}

#[test]
fn what_is_advised_for_a_wrong_value_is_taken() {
    let ran = incident(&["trigger", "./nope.toml"]).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("name a scenario; `incident list` prints their names"), "{ran:?}");
    // Nothing is started for no time at all.
    let ran = incident(&["trigger", "x", "--timeout", "0s"]).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("it must be at least 100ms"), "{ran:?}");
}
