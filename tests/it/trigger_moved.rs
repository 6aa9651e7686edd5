//! `incident trigger` whose server is lost while the incident is played: it comes back with another stream, or something else answers.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::answers::{server, upgrade};
use crate::harness::{PATIENCE, incident};
use crate::trigger_interrupted::{Connections, accept, answer, greeting, heartbeat, sample, unknown};
use crate::watch_unseen::{RESOLVED, STARTED, event, state};

/// The first event in the first stream.
fn begin(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(&greeting("S", 1, &json!({ "kind": "resumed", "from": 1, "to": 1 })))?;
    stream.write_all(&event(STARTED, "S", 1))
}

/// As after `check-journal --salvage`: the copy is another stream, and what was open in it is played on.
#[test]
fn an_incident_that_goes_on_in_another_stream_is_followed_there() {
    static CONNECTIONS: Connections = Connections::none();
    static ASKED: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        if head.starts_with("GET /api/incidents/x-1 ") {
            let busy = json!({ "title": "Service Unavailable", "status": 503, "detail": "busy" });
            return match ASKED.next() {
                1 => answer(&mut stream, "503 Busy", "application/problem+json", &busy),
                // Of what stands before the server.
                2 => answer(&mut stream, "404 Not Found", "text/html", &json!("default backend")),
                _ => answer(&mut stream, "200 OK", "application/json", &state(false)),
            };
        }
        let number = CONNECTIONS.next();
        upgrade(&mut stream, head)?;
        if number == 1 {
            return begin(&mut stream);
        }
        let follows = json!({ "kind": "reset", "reason": "other-stream", "from": 1, "to": 1 });
        stream.write_all(&greeting("T", 1, &follows))?;
        // It begins with what has come already.
        stream.write_all(&event(STARTED, "T", 1))?;
        while ASKED.count() < 3 {
            stream.write_all(&heartbeat(1))?;
            thread::sleep(Duration::from_millis(50));
        }
        thread::sleep(Duration::from_millis(200));
        stream.write_all(&heartbeat(1))?;
        stream.write_all(&event(RESOLVED, "T", 2))?;
        thread::sleep(PATIENCE);
        Ok(())
    });
    let ran = incident(&["trigger", "x", "--json", "--url", &url]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let events: Vec<&str> = ran.stdout.lines().filter(|line| line.contains("/streams/")).collect();
    assert!(
        events.len() == 2 && events[0].contains("/streams/S") && events[1].contains("/streams/T"),
        "{ran:?}"
    );
    assert!(ran.stderr.contains("x-1 goes on in this stream"), "{ran:?}");
    assert!(!ran.stderr.contains("trigger it again"), "{ran:?}");
}

#[test]
fn an_incident_that_another_stream_does_not_have_is_lost() {
    static CONNECTIONS: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        if head.starts_with("GET /api/incidents/x-1 ") {
            return unknown(&mut stream);
        }
        let number = CONNECTIONS.next();
        upgrade(&mut stream, head)?;
        if number == 1 {
            return begin(&mut stream);
        }
        let follows = json!({ "kind": "reset", "reason": "other-stream", "from": 1, "to": 0 });
        stream.write_all(&greeting("T", 0, &follows))?;
        loop {
            thread::sleep(Duration::from_millis(50));
            stream.write_all(&heartbeat(0))?;
        }
    });
    let ran = incident(&["trigger", "x", "--json", "--url", &url]).run();
    assert_eq!(ran.status, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("the server has a new stream without x-1"), "{ran:?}");
}

/// As behind a balancer whose servers have no common journal: the one that is asked has the incident, the one that is connected does not.
#[test]
fn an_answer_does_not_show_that_the_stream_has_the_incident() {
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        if head.starts_with("GET /api/incidents/x-1 ") {
            return answer(&mut stream, "200 OK", "application/json", &state(false));
        }
        upgrade(&mut stream, head)?;
        let follows = json!({ "kind": "reset", "reason": "other-stream", "from": 1, "to": 0 });
        stream.write_all(&greeting("T", 0, &follows))?;
        loop {
            thread::sleep(Duration::from_millis(50));
            stream.write_all(&heartbeat(0))?;
        }
    });
    let ran = incident(&["trigger", "x", "--json", "--url", &url]).run();
    assert_eq!(ran.status, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("leads to another stream") && !ran.stderr.contains("goes on"), "{ran:?}");
}

/// The server says that it has ended before the last events have come.
#[test]
fn what_is_on_its_way_when_the_server_answers_is_shown() {
    static ASKED: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        if head.starts_with("GET /api/incidents/x-1 ") {
            ASKED.next();
            return answer(&mut stream, "200 OK", "application/json", &state(true));
        }
        upgrade(&mut stream, head)?;
        begin(&mut stream)?;
        stream.write_all(&sample(5))?;
        stream.write_all(&heartbeat(5))?;
        while ASKED.count() == 0 {
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(Duration::from_millis(300));
        stream.write_all(&event(RESOLVED, "S", 6))?;
        stream.write_all(&heartbeat(6))?;
        thread::sleep(PATIENCE);
        Ok(())
    });
    let ran = incident(&["trigger", "x", "--json", "--url", &url]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("incident_resolved"), "{ran:?}");
}

/// Its server answered each time, if not this one: to start it again is no advice.
#[test]
fn what_answers_in_the_place_of_the_server_is_told_when_trigger_gives_up() {
    static CONNECTIONS: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        if CONNECTIONS.next() > 1 {
            let moved =
                b"HTTP/1.1 302 Found\r\nLocation: https://login.example/\r\nContent-Length: 0\r\n\r\n";
            return stream.write_all(moved);
        }
        upgrade(&mut stream, head)?;
        stream.write_all(&greeting("S", 1, &json!({ "kind": "resumed", "from": 1, "to": 1 })))?;
        stream.write_all(&sample(1))
    });
    let ran = incident(&["trigger", "x", "--reconnect-for", "2s", "--url", &url]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("there was no connection for 2s: "), "{ran:?}");
    assert!(ran.stderr.matches("answered HTTP 302").count() >= 2, "noted, and at the end: {ran:?}");
    assert!(!ran.stderr.contains("start the server again") && ran.stderr.contains("check --url"), "{ran:?}");
}

/// As a shell stops it with ctrl-z. The server is back before it goes on.
#[test]
fn the_time_in_which_the_command_stands_still_is_not_waited_for_a_server() {
    static CONNECTIONS: Connections = Connections::none();
    static IS_BACK: AtomicBool = AtomicBool::new(false);
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        let is_first = CONNECTIONS.next() == 1;
        if !is_first && !IS_BACK.load(Ordering::Relaxed) {
            return Ok(());
        }
        upgrade(&mut stream, head)?;
        if is_first {
            return begin(&mut stream);
        }
        stream.write_all(&greeting("S", 2, &json!({ "kind": "resumed", "from": 2, "to": 2 })))?;
        stream.write_all(&event(RESOLVED, "S", 2))
    });
    let args = ["trigger", "x", "--json", "--reconnect-for", "3s", "--url", &url];
    let mut running = incident(&args).spawn();
    running.says("connection lost");
    running.signal("STOP");
    thread::sleep(Duration::from_secs(4));
    IS_BACK.store(true, Ordering::Relaxed);
    running.signal("CONT");
    let ran = running.end();
    assert_eq!(ran.status, Some(0), "{ran:?}");
}

#[test]
fn what_goes_on_is_not_known_without_a_connection() {
    static CONNECTIONS: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accept(&mut stream);
        }
        if CONNECTIONS.next() > 1 {
            return Ok(());
        }
        upgrade(&mut stream, head)?;
        begin(&mut stream)
    });
    let mut running = incident(&["trigger", "x", "--json", "--url", &url]).spawn();
    running.says("connection lost");
    running.signal("INT");
    let ran = running.end();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("x-1 may go on. Watch it:"), "{ran:?}");
}
