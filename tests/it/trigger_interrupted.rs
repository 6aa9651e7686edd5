//! `incident trigger` whose connection is lost, does not come, or leads elsewhere.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::answers::{server, upgrade};
use crate::harness::{PATIENCE, incident, unmasked};
use crate::watch_unseen::state;

/// How often a stub was connected to, for a stream.
pub struct Connections(Mutex<u32>);

impl Connections {
    pub const fn none() -> Self {
        Self(Mutex::new(0))
    }

    pub fn next(&self) -> u32 {
        let mut count = self.0.lock().unwrap();
        *count += 1;
        *count
    }

    pub fn count(&self) -> u32 {
        *self.0.lock().unwrap()
    }
}

pub fn answer(stream: &mut TcpStream, status: &str, content_type: &str, body: &Value) -> std::io::Result<()> {
    let body = body.to_string();
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n");
    stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes())
}

/// The incident x-1 was started in the stream S, at its first position.
pub fn accept(stream: &mut TcpStream) -> std::io::Result<()> {
    let body = json!({ "id": "x-1", "stream": "S", "position": 1, "scenario": "x" });
    answer(stream, "202 Accepted", "application/json", &body)
}

/// What is said of an incident that a server does not know.
pub fn unknown(stream: &mut TcpStream) -> std::io::Result<()> {
    let body = json!({ "detail": "no such incident", "status": 404 });
    answer(stream, "404 Not Found", "application/problem+json", &body)
}

pub fn frame(text: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut message: Value = serde_json::from_str(text).unwrap();
    change(&mut message);
    unmasked(0x81, message.to_string().as_bytes())
}

pub fn greeting(of: &str, head: u64, follows: &Value) -> Vec<u8> {
    frame(include_str!("../fixtures/messages/stream_opened.json"), |opened| {
        opened["data"]["stream"] = json!(of);
        opened["data"]["head"] = json!(head);
        opened["data"]["follows"] = follows.clone();
    })
}

/// An event of the stream S, which is one of x-1 with the same index.
pub fn event(text: &str, position: u64) -> Vec<u8> {
    frame(text, |event| {
        event["source"] = json!("/streams/S");
        (event["id"], event["index"]) = (json!(position.to_string()), json!(position));
        event["subject"] = json!("x-1");
    })
}

pub fn sample(position: u64) -> Vec<u8> {
    event(include_str!("../fixtures/messages/system_metrics.json"), position)
}

pub fn heartbeat(head: u64) -> Vec<u8> {
    frame(include_str!("../fixtures/messages/heartbeat.json"), |heartbeat| {
        heartbeat["data"] = json!({ "stream": "S", "head": head, "state": "playing" });
    })
}

/// The server is there as soon as a connection says something, also if that is not the first one.
#[test]
fn a_connection_that_is_lost_before_it_says_anything_is_not_counted_as_lost_for_ever() {
    static CONNECTIONS: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        let number = CONNECTIONS.next();
        upgrade(&mut stream, head)?;
        if number == 1 {
            return Ok(());
        }
        stream.write_all(&greeting("S", 0, &json!({ "kind": "resumed", "from": 1, "to": 0 })))?;
        for position in 1.. {
            stream.write_all(&sample(position))?;
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    });
    let mut running = incident(&["trigger", "x", "--json", "--reconnect-for", "1s", "--url", &url]).spawn();
    let lines = running.lines();
    // Two seconds of events, twice as long as it waits for a server.
    for _ in 0..20 {
        lines.recv_timeout(PATIENCE).expect("an event");
    }
    running.signal("INT");
    drop(lines);
}

/// The incident goes on: whoever is told to try again would start another one.
#[test]
fn a_server_that_has_no_place_or_is_away_right_after_it_has_started_the_incident_is_waited_for() {
    static CONNECTIONS: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        match CONNECTIONS.next() {
            1 => Ok(()),
            2 => answer(
                &mut stream,
                "503 Service Unavailable",
                "application/problem+json",
                &json!({ "detail": "full" }),
            ),
            3 => answer(&mut stream, "404 Not Found", "text/plain", &json!("no such service")),
            _ => {
                upgrade(&mut stream, head)?;
                stream.write_all(&greeting("S", 1, &json!({ "kind": "resumed", "from": 1, "to": 1 })))?;
                stream.write_all(&event(include_str!("../fixtures/messages/incident_resolved.json"), 1))
            }
        }
    });
    let ran = incident(&["trigger", "x", "--url", &url]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let said = |what: &str| ran.stderr.contains(what) || ran.stdout.contains(what);
    assert!(said("no connection yet") && said("connected") && !said("connection lost"), "{ran:?}");
}

/// It is neither passed over nor taken for a success.
#[test]
fn an_end_that_cannot_be_read_is_told() {
    static ASKED: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        if head.starts_with("GET /api") {
            return match ASKED.next() {
                1 => answer(&mut stream, "404 Not Found", "text/plain", &json!("no such path")),
                _ => answer(&mut stream, "200 OK", "application/json", &state(false)),
            };
        }
        upgrade(&mut stream, head)?;
        stream.write_all(&greeting("S", 1, &json!({ "kind": "resumed", "from": 1, "to": 1 })))?;
        let text = include_str!("../fixtures/messages/incident_resolved.json");
        let text = text.replace("\"resolved\"", "\"abandoned\"");
        stream.write_all(&event(&text, 1))?;
        loop {
            thread::sleep(Duration::from_millis(50));
            stream.write_all(&heartbeat(1))?;
        }
    });
    let ran = incident(&["trigger", "x", "--url", &url]).run();
    assert_eq!(ran.status, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("how it ended can't be read"), "{ran:?}");
}

/// As a load balancer does it whose servers have no common journal.
#[test]
fn a_connection_to_a_server_that_has_not_started_the_incident_is_told() {
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        if head.starts_with("GET /api") {
            return unknown(&mut stream);
        }
        upgrade(&mut stream, head)?;
        let follows = json!({ "kind": "reset", "reason": "other-stream", "from": 1, "to": 0 });
        stream.write_all(&greeting("T", 0, &follows))?;
        loop {
            thread::sleep(Duration::from_millis(50));
            stream.write_all(&heartbeat(0))?;
        }
    });
    let ran = incident(&["trigger", "x", "--url", &url]).run();
    assert_eq!(ran.status, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("leads to another stream"), "{ran:?}");
    assert!(!ran.stderr.contains("again"), "{ran:?}");
}

/// Events were lost, and the server asked about them at once would name the end before it is replayed.
#[test]
fn what_is_replayed_behind_lost_events_is_shown() {
    static CONNECTIONS: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        if head.starts_with("GET /api") {
            return unknown(&mut stream);
        }
        let number = CONNECTIONS.next();
        upgrade(&mut stream, head)?;
        if number == 1 {
            stream.write_all(&greeting("S", 1, &json!({ "kind": "resumed", "from": 1, "to": 1 })))?;
            return stream.write_all(&sample(1));
        }
        let follows = json!({ "kind": "reset", "reason": "expired", "from": 5, "to": 9 });
        stream.write_all(&greeting("S", 9, &follows))?;
        for position in 5..9 {
            stream.write_all(&sample(position))?;
        }
        stream.write_all(&event(include_str!("../fixtures/messages/incident_resolved.json"), 9))
    });
    let ran = incident(&["trigger", "x", "--json", "--url", &url]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(ran.stdout.lines().count(), 6, "{ran:?}");
}

/// Everything of it was dropped meanwhile.
#[test]
fn an_incident_of_which_the_server_knows_nothing_any_more_has_an_unknown_end() {
    static CONNECTIONS: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        if head.starts_with("GET /api") {
            return unknown(&mut stream);
        }
        let number = CONNECTIONS.next();
        upgrade(&mut stream, head)?;
        if number == 1 {
            stream.write_all(&greeting("S", 1, &json!({ "kind": "resumed", "from": 1, "to": 1 })))?;
            return stream.write_all(&sample(1));
        }
        let follows = json!({ "kind": "reset", "reason": "expired", "from": 10, "to": 9 });
        stream.write_all(&greeting("S", 9, &follows))?;
        loop {
            thread::sleep(Duration::from_millis(50));
            stream.write_all(&heartbeat(9))?;
        }
    });
    let ran = incident(&["trigger", "x", "--json", "--url", &url]).run();
    assert_eq!(ran.status, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("how it ended is lost"), "{ran:?}");
}

/// Whoever does what it says and triggers again would have two incidents.
#[test]
fn what_may_be_done_without_an_answer_is_not_advised_to_be_done_again() {
    let servers = [
        server(|_, _| Ok(())),
        server(|mut stream, _| stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")),
        server(|mut stream, _| {
            stream.write_all(b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n")
        }),
    ];
    for url in &servers {
        let ran = incident(&["trigger", "x", "--no-wait", "--url", url]).run();
        assert_eq!(ran.status, Some(3), "{ran:?}");
        let told = "it may have started the incident all the same: incident list --running --url ";
        assert!(ran.stderr.contains(told), "{ran:?}");
        let ran = incident(&["cancel", "x-1", "--url", url]).run();
        assert_eq!(ran.status, Some(3), "{ran:?}");
        assert!(ran.stderr.contains("may be ending the incident all the same"), "{ran:?}");
        assert!(!ran.stderr.contains("incident serve"), "{ran:?}");
    }
}

/// Of several servers none says that it is ready, and each takes the request.
#[test]
fn several_servers_that_are_not_ready_are_not_called_dead() {
    let busy = || {
        server(|mut stream, head| {
            if head.starts_with("GET /readyz") {
                return stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
            }
            Ok(())
        })
    };
    let ran = incident(&["cancel", "x-1", "--url", &format!("{},{}", busy(), busy())]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("may be ending the incident all the same"), "{ran:?}");
}

/// A server right behind a start, or a proxy before it, may have no answer at the moment: the alerts are not given up.
#[test]
fn alerts_that_the_server_cannot_tell_at_once_are_asked_for_again() {
    static QUESTIONS: Connections = Connections::none();
    static RESOLVES: AtomicBool = AtomicBool::new(false);
    let alertmanager = server(|mut stream, _| answer(&mut stream, "200 OK", "application/json", &json!({})));
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        if head.starts_with("GET /api/scenarios") {
            return answer(&mut stream, "200 OK", "application/json", &json!({ "scenarios": [] }));
        }
        if head.starts_with("GET /api/incidents/x-1/alerts") {
            if QUESTIONS.next() < 3 {
                let busy = json!({ "detail": "the server is busy" });
                return answer(&mut stream, "503 Service Unavailable", "application/problem+json", &busy);
            }
            RESOLVES.store(true, Ordering::SeqCst);
            let alerts = json!({ "now": "2026-11-22T10:00:00Z", "run": "x-1", "alerts": [] });
            return answer(&mut stream, "200 OK", "application/json", &alerts);
        }
        upgrade(&mut stream, head)?;
        stream.write_all(&greeting("S", 1, &json!({ "kind": "resumed", "from": 1, "to": 1 })))?;
        for position in 1.. {
            if RESOLVES.load(Ordering::SeqCst) {
                // The note of the answer is shown with the next tick.
                thread::sleep(Duration::from_millis(500));
                let end = include_str!("../fixtures/messages/incident_resolved.json");
                return stream.write_all(&event(end, position));
            }
            stream.write_all(&sample(position))?;
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    });
    let ran = incident(&["trigger", "x", "--url", &url, "--alerts-to", &alertmanager]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let said = |what: &str| format!("{}{}", ran.stdout, ran.stderr).matches(what).count();
    assert_eq!(said("no alert is posted yet"), 1, "{ran:?}");
    assert_eq!(said("alerts are posted from now on"), 1, "{ran:?}");
}
