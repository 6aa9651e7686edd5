//! What `incident watch` says and shows of incidents whose ends it may not have seen, and of a connection that does not come back.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use incident::contract::Envelope;
use incident::journal::Retention;
use incident::report::Board;
use serde_json::{Value, json};

use crate::answers::{server, upgrade};
use crate::harness::{
    Local, PATIENCE, Proxy, Terminal, incident, metrics, options, resolved, started, unmasked,
};
use crate::trigger_interrupted::{Connections, answer, frame, greeting, heartbeat};

pub const STARTED: &str = include_str!("../fixtures/messages/incident_started.json");
const SAMPLE: &str = include_str!("../fixtures/messages/system_metrics.json");
pub const RESOLVED: &str = include_str!("../fixtures/messages/incident_resolved.json");

/// An event of x-1, with the same index.
fn told(text: &str, stream: &str, position: u64) -> Value {
    let mut event: Value = serde_json::from_str(text).unwrap();
    event["source"] = json!(format!("/streams/{stream}"));
    (event["id"], event["index"]) = (json!(position.to_string()), json!(position));
    event["subject"] = json!("x-1");
    event
}

pub fn event(text: &str, stream: &str, position: u64) -> Vec<u8> {
    unmasked(0x81, told(text, stream, position).to_string().as_bytes())
}

/// What a server answers that has all events of x-1.
pub fn state(is_over: bool) -> Value {
    let mut board = Board::default();
    let last = if is_over { RESOLVED } else { SAMPLE };
    for (text, index) in [(STARTED, 1), (last, 2)] {
        let envelope: Envelope = serde_json::from_value(told(text, "S", index)).unwrap();
        board.fold(&envelope);
    }
    serde_json::to_value(board.get("x-1").unwrap()).unwrap()
}

/// The start of x-1, a gap, and heartbeats.
pub fn play_with_a_gap(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(&greeting("S", 1, &json!({ "kind": "resumed", "from": 1, "to": 1 })))?;
    stream.write_all(&event(STARTED, "S", 1))?;
    stream.write_all(&frame(SAMPLE, |event| {
        event["source"] = json!("/streams/S");
        (event["id"], event["index"], event["subject"]) = (json!("5"), json!(1), json!("x-2"));
    }))?;
    loop {
        thread::sleep(Duration::from_millis(50));
        stream.write_all(&heartbeat(5))?;
    }
}

/// The end is among what was lost, and the server, which knows nothing of the incident any more, is asked for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_whose_end_was_lost_is_not_shown_as_open() {
    let server = Local::with(options(), Retention { events: 4, age: None }).await;
    server.append(vec![started("first"), metrics("first", 2)]).await;
    let proxy = Proxy::to(server.address).await;
    let url = format!("ws://{}/ws", proxy.address);
    let terminal = Terminal::run(100, &["watch", "--url", &url]);
    let mut piped = incident(&["watch", "--json", "--url", &url]).spawn();
    let lines = piped.lines();
    tokio::task::block_in_place(|| {
        terminal.shows("● LIVE first");
        lines.recv_timeout(PATIENCE).expect("an event");
    });
    proxy.close();
    server.append(vec![resolved("first", 3), started("later")]).await;
    server.append((2..7).map(|index| metrics("later", index)).collect()).await;
    proxy.open();
    tokio::task::block_in_place(|| {
        let screen = terminal.shows("● LIVE later");
        assert!(screen.contains("does not know first any more: how it ended is lost"), "{screen}");
        piped.says("does not know first any more: how it ended is lost");
        piped.signal("INT");
        let ran = piped.end();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(ran.stderr.contains("later goes on") && !ran.stderr.contains("first goes on"), "{ran:?}");
    });
}

/// Whoever leaves while nobody knows is not told that it goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_on_is_not_known_without_a_connection() {
    let server = Local::start().await;
    server.append(vec![started("a")]).await;
    let proxy = Proxy::to(server.address).await;
    let mut piped = incident(&["watch", "--json", "--url", &format!("ws://{}/ws", proxy.address)]).spawn();
    let lines = piped.lines();
    tokio::task::block_in_place(|| {
        lines.recv_timeout(PATIENCE).expect("an event");
        proxy.close();
        piped.says("connection lost");
        piped.signal("INT");
        let ran = piped.end();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(ran.stderr.contains("a may go on. Watch it:"), "{ran:?}");
    });
}

/// The server knows how the incident ended, though the events are lost.
#[test]
fn an_end_behind_a_gap_is_asked_for() {
    let url = server(|mut stream, head| {
        if head.starts_with("GET /api/incidents/x-1 ") {
            return answer(&mut stream, "200 OK", "application/json", &state(true));
        }
        if head.starts_with("GET /api/incidents/x-2 ") {
            let mut open = state(false);
            open["id"] = json!("x-2");
            return answer(&mut stream, "200 OK", "application/json", &open);
        }
        upgrade(&mut stream, head)?;
        play_with_a_gap(&mut stream)
    });
    let mut running = incident(&["watch", "--json", "--url", &url]).spawn();
    running.says("x-1 is already resolved");
    running.signal("INT");
    let ran = running.end();
    assert!(!ran.stderr.contains("x-1 goes on"), "{ran:?}");
    assert!(ran.stderr.contains("x-2 goes on"), "{ran:?}");
    let ran = incident(&["watch", "--json", "--until-resolved", "--url", &url]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
}

/// A server that is busy, or a proxy before one that starts, is asked again.
#[test]
fn an_answer_that_says_nothing_is_not_the_last() {
    static ASKED: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("GET /api/incidents/x-1 ") {
            let busy = json!({ "title": "Service Unavailable", "status": 503, "detail": "busy" });
            return match ASKED.next() {
                1 | 3 => answer(&mut stream, "503 Busy", "application/problem+json", &busy),
                2 | 4 => answer(&mut stream, "502 Bad Gateway", "text/html", &json!("")),
                _ => answer(&mut stream, "200 OK", "application/json", &state(true)),
            };
        }
        upgrade(&mut stream, head)?;
        play_with_a_gap(&mut stream)
    });
    let ran = incident(&["watch", "--until-resolved", "--incident", "x-1", "--url", &url]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("x-1 is already resolved"), "{ran:?}");
}

/// It had ended before the position; nobody could say so at the start.
#[test]
fn an_end_before_the_position_is_asked_for_again_if_the_server_was_busy() {
    static ASKED: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("GET /api/incidents/x-1 ") {
            let busy = json!({ "title": "Service Unavailable", "status": 503, "detail": "busy" });
            return match ASKED.next() {
                1 => answer(&mut stream, "503 Busy", "application/problem+json", &busy),
                _ => answer(&mut stream, "200 OK", "application/json", &state(true)),
            };
        }
        upgrade(&mut stream, head)?;
        stream.write_all(&greeting("S", 2, &json!({ "kind": "resumed", "from": 3, "to": 2 })))?;
        loop {
            thread::sleep(Duration::from_millis(50));
            stream.write_all(&heartbeat(2))?;
        }
    });
    let args =
        ["watch", "--until-resolved", "--incident", "x-1", "--after", "01HF7YAT00E38GPM/2", "--url", &url];
    let ran = incident(&args).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("x-1 is already resolved"), "{ran:?}");
}

/// Another server takes the place, and its clock is behind: what it plays now is no less new.
#[test]
fn what_another_server_plays_is_new_by_whatever_clock() {
    static CONNECTIONS: Connections = Connections::none();
    let url = server(|mut stream, head| {
        let number = CONNECTIONS.next();
        upgrade(&mut stream, head)?;
        if number == 1 {
            stream.write_all(&greeting("S", 0, &json!({ "kind": "resumed", "from": 1, "to": 0 })))?;
            return stream.write_all(&heartbeat(0));
        }
        let follows = json!({ "kind": "reset", "reason": "other-stream", "from": 1, "to": 0 });
        stream.write_all(&greeting("T", 0, &follows))?;
        for (text, position) in [(STARTED, 1), (RESOLVED, 2)] {
            stream.write_all(&frame(text, |event| {
                *event = told(text, "T", position);
                event["time"] = json!("2026-11-22T09:00:00.000000Z");
            }))?;
        }
        thread::sleep(PATIENCE);
        Ok(())
    });
    let ran = incident(&["watch", "--json", "--until-resolved", "--url", &url]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
}

/// It comes back and is gone before it has said anything: the last word is not that it is back.
#[test]
fn a_server_that_is_gone_right_after_it_came_back_is_said_to_be_gone() {
    static CONNECTIONS: Connections = Connections::none();
    let url = server(|mut stream, head| {
        let number = CONNECTIONS.next();
        if number > 2 {
            return Ok(());
        }
        upgrade(&mut stream, head)?;
        stream.write_all(&greeting("S", 0, &json!({ "kind": "resumed", "from": 1, "to": 0 })))
    });
    let mut running = incident(&["watch", "--json", "--url", &url]).spawn();
    for what in ["connection lost", "reconnected", "connection lost"] {
        running.says(what);
    }
    running.signal("INT");
    drop(running.end());
}

/// Something else answers in the place of the server. That it is not there is not all that is to be known.
#[test]
fn what_answers_in_the_place_of_a_lost_server_is_told() {
    static CONNECTIONS: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if CONNECTIONS.next() > 1 {
            let moved =
                b"HTTP/1.1 302 Found\r\nLocation: https://login.example/\r\nContent-Length: 0\r\n\r\n";
            return stream.write_all(moved);
        }
        upgrade(&mut stream, head)?;
        stream.write_all(&greeting("S", 0, &json!({ "kind": "resumed", "from": 1, "to": 0 })))
    });
    let mut running = incident(&["watch", "--json", "--url", &url]).spawn();
    running.says("connection lost");
    running.says("answered HTTP 302");
    thread::sleep(Duration::from_secs(2));
    running.signal("INT");
    let ran = running.end();
    assert_eq!(ran.stderr.matches("HTTP 302").count(), 1, "{ran:?}");
}

/// It ends between the question whether it is open and the beginning of the stream, which has nothing of it then.
#[test]
fn an_incident_that_ends_before_the_stream_begins_is_shown_all_the_same() {
    static ASKED: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("GET /api/incidents/x-1 ") {
            // Each command asks twice.
            let is_over = ASKED.next().is_multiple_of(2);
            return answer(&mut stream, "200 OK", "application/json", &state(is_over));
        }
        upgrade(&mut stream, head)?;
        if head.contains("after=0 ") {
            stream.write_all(&greeting("S", 2, &json!({ "kind": "resumed", "from": 1, "to": 2 })))?;
            stream.write_all(&event(STARTED, "S", 1))?;
            stream.write_all(&event(RESOLVED, "S", 2))?;
        } else {
            stream.write_all(&greeting("S", 2, &json!({ "kind": "started", "from": 3, "to": 2 })))?;
        }
        loop {
            thread::sleep(Duration::from_millis(50));
            stream.write_all(&heartbeat(2))?;
        }
    });
    for args in [&["--until-resolved"][..], &["--no-follow"], &["--until-resolved", "--no-reconnect"]] {
        let ran = incident(&[&["watch", "--json", "--incident", "x-1", "--url", &url], args].concat()).run();
        assert_eq!((ran.status, ran.stdout.lines().count()), (Some(0), 2), "{args:?}: {ran:?}");
    }
}

/// `docs/stream.md`: a client ignores what it does not know.
#[test]
fn control_messages_of_a_newer_server_are_no_events() {
    let url = server(|mut stream, head| {
        upgrade(&mut stream, head)?;
        stream.write_all(&greeting("S", 2, &json!({ "kind": "resumed", "from": 1, "to": 2 })))?;
        stream.write_all(&event(STARTED, "S", 1))?;
        for id in ["3", "4"] {
            stream.write_all(&frame(include_str!("../fixtures/messages/heartbeat.json"), |notice| {
                (notice["type"], notice["id"]) = (json!("server_notice"), json!(id));
            }))?;
            stream.write_all(&frame(include_str!("../fixtures/messages/heartbeat.json"), |heartbeat| {
                (heartbeat["data"]["state"], heartbeat["id"]) = (json!("draining"), json!(id));
            }))?;
        }
        stream.write_all(&event(RESOLVED, "S", 2))
    });
    let ran = incident(&["watch", "--json", "--no-follow", "--url", &url]).run();
    assert_eq!((ran.status, ran.stdout.lines().count()), (Some(0), 2), "{ran:?}");
    assert_eq!(ran.stderr.matches("not an event").count(), 1, "{ran:?}");
}

/// It is neither passed over nor taken for a success.
#[test]
fn an_end_that_cannot_be_read_is_asked_for() {
    let url = server(|mut stream, head| {
        if head.starts_with("GET /api") {
            return answer(&mut stream, "404 Not Found", "text/plain", &json!("no such path"));
        }
        upgrade(&mut stream, head)?;
        stream.write_all(&greeting("S", 1, &json!({ "kind": "resumed", "from": 1, "to": 1 })))?;
        stream.write_all(&event(STARTED, "S", 1))?;
        stream.write_all(&event(&RESOLVED.replace("\"resolved\"", "\"abandoned\""), "S", 2))?;
        thread::sleep(PATIENCE);
        Ok(())
    });
    for args in [&["--until-resolved"][..], &["--until-resolved", "--incident", "x-1"]] {
        let ran = incident(&[&["watch", "--json", "--url", &url], args].concat()).run();
        assert_eq!(ran.status, Some(4), "{args:?}: {ran:?}");
        assert!(ran.stderr.contains("how it ended can't be read"), "{args:?}: {ran:?}");
    }
}

#[test]
fn quiet_is_quiet_about_the_connection() {
    let url = server(|mut stream, head| {
        upgrade(&mut stream, head)?;
        stream.write_all(&greeting("S", 0, &json!({ "kind": "resumed", "from": 1, "to": 0 })))
    });
    for (flag, said) in [("--quiet", 0), ("--json", 1)] {
        let ran = incident(&["watch", flag, "--no-reconnect", "--url", &url]).run();
        assert_eq!(ran.stderr.matches("connection lost").count(), said, "{ran:?}");
    }
}

/// As of a server whose disk is full: it is there, and what it plays stands still.
#[test]
fn a_server_that_publishes_nothing_is_not_shown_as_live() {
    static IS_FULL: AtomicBool = AtomicBool::new(true);
    let url = server(|mut stream, head| {
        upgrade(&mut stream, head)?;
        stream.write_all(&greeting("S", 1, &json!({ "kind": "resumed", "from": 1, "to": 1 })))?;
        stream.write_all(&event(STARTED, "S", 1))?;
        loop {
            let is_full = IS_FULL.load(Ordering::Relaxed);
            stream.write_all(&frame(include_str!("../fixtures/messages/heartbeat.json"), |heartbeat| {
                let state = if is_full { "paused" } else { "playing" };
                heartbeat["data"] = json!({ "stream": "S", "head": 1, "state": state });
                if is_full {
                    heartbeat["data"]["reason"] = json!("the disk is full");
                }
            }))?;
            thread::sleep(Duration::from_millis(50));
        }
    });
    let terminal = Terminal::run(100, &["watch", "--url", &url]);
    let screen = terminal.shows("○ PAUSED 00:01");
    assert_eq!(screen.matches("the server publishes no events: the disk is full").count(), 1, "{screen}");
    IS_FULL.store(false, Ordering::Relaxed);
    let screen = terminal.shows("● LIVE x-1");
    assert!(screen.contains("the server publishes events again"), "{screen}");
}
