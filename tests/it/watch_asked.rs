//! `incident watch` that asks for an end it may not have seen, where something else answers, or another stream has begun.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::answers::{server, upgrade};
use crate::harness::incident;
use crate::trigger_interrupted::{Connections, answer, greeting, heartbeat, unknown};
use crate::watch_unseen::{RESOLVED, STARTED, event, play_with_a_gap, state};

fn tell(stream: &mut TcpStream, is_over: bool) -> std::io::Result<()> {
    answer(stream, "200 OK", "application/json", &state(is_over))
}

/// What stands before the server.
fn something_else(stream: &mut TcpStream) -> std::io::Result<()> {
    answer(stream, "404 Not Found", "text/html", &json!("default backend"))
}

fn play(stream: &mut TcpStream, of: &str, head: u64, follows: &Value, has_x: bool) -> std::io::Result<()> {
    stream.write_all(&greeting(of, head, follows))?;
    if has_x {
        stream.write_all(&event(STARTED, of, 1))?;
        stream.write_all(&event(RESOLVED, of, 2))?;
    }
    loop {
        thread::sleep(Duration::from_millis(50));
        stream.write_all(&heartbeat(head))?;
    }
}

/// The server has said before how the incident is: it has that interface.
#[test]
fn what_answers_once_in_the_place_of_the_server_is_not_the_last_word() {
    static ASKED: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("GET /api/incidents/x-1 ") {
            return match ASKED.next() {
                1 | 2 => tell(&mut stream, false),
                3 => something_else(&mut stream),
                4 => answer(&mut stream, "302 Found", "text/html", &json!("")),
                5 => answer(&mut stream, "200 OK", "text/html", &json!("maintenance")),
                _ => tell(&mut stream, true),
            };
        }
        upgrade(&mut stream, head)?;
        play_with_a_gap(&mut stream)
    });
    let ran = incident(&["watch", "--until-resolved", "--incident", "x-1", "--url", &url]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("x-1 is already resolved"), "{ran:?}");
}

/// It has ended before the stream began, and that can't be learned then.
#[test]
fn an_incident_that_may_have_ended_before_the_stream_began_is_shown_from_its_start() {
    static ASKED: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("GET /api/incidents/x-1 ") {
            let number = ASKED.next();
            let busy = json!({ "title": "Service Unavailable", "status": 503, "detail": "busy" });
            // Each command asks twice, and may ask again behind the replay.
            return match number {
                1 | 11 => tell(&mut stream, false),
                2 => something_else(&mut stream),
                12 => answer(&mut stream, "503 Busy", "application/problem+json", &busy),
                _ => tell(&mut stream, true),
            };
        }
        upgrade(&mut stream, head)?;
        if head.contains("after=0 ") {
            return play(&mut stream, "S", 2, &json!({ "kind": "resumed", "from": 1, "to": 2 }), true);
        }
        play(&mut stream, "S", 2, &json!({ "kind": "started", "from": 3, "to": 2 }), false)
    });
    for (args, first) in [("--until-resolved", 0), ("--no-follow", 10)] {
        while ASKED.count() < first {
            ASKED.next();
        }
        let ran = incident(&["watch", "--json", "--incident", "x-1", "--url", &url, args]).run();
        assert_eq!((ran.status, ran.stdout.lines().count()), (Some(0), 2), "{args}: {ran:?}");
    }
}

/// A script goes on behind a position that it has kept, and the server has been replaced.
#[test]
fn an_incident_that_ends_while_a_position_of_another_stream_is_resumed_is_shown() {
    static ASKED: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("GET /api/incidents/x-1 ") {
            let is_over = ASKED.next() > 1;
            return tell(&mut stream, is_over);
        }
        upgrade(&mut stream, head)?;
        if head.contains("after=0 ") {
            return play(&mut stream, "T", 2, &json!({ "kind": "resumed", "from": 1, "to": 2 }), true);
        }
        let follows = json!({ "kind": "reset", "reason": "other-stream", "from": 3, "to": 2 });
        play(&mut stream, "T", 2, &follows, false)
    });
    let after = ["--after", "01HF7YAT00E38GPM/5", "--until-resolved"];
    let ran =
        incident(&[&["watch", "--json", "--incident", "x-1", "--url", &url], &after[..]].concat()).run();
    assert_eq!((ran.status, ran.stdout.lines().count()), (Some(0), 2), "{ran:?}");
    assert!(ran.stderr.contains("the position belongs to another stream"), "{ran:?}");
}

/// What was open before a server came back with another stream.
fn comes_back_anew(connections: &Connections, mut stream: TcpStream, head: &str) -> std::io::Result<()> {
    let number = connections.next();
    upgrade(&mut stream, head)?;
    if number == 1 {
        stream.write_all(&greeting("S", 1, &json!({ "kind": "resumed", "from": 1, "to": 1 })))?;
        return stream.write_all(&event(STARTED, "S", 1));
    }
    let follows = json!({ "kind": "reset", "reason": "other-stream", "from": 1, "to": 0 });
    play(&mut stream, "T", 0, &follows, false)
}

#[test]
fn what_was_open_before_another_stream_began_is_asked_for() {
    static CONNECTIONS: Connections = Connections::none();
    static ASKED: Connections = Connections::none();
    let ended = server(|mut stream, head| {
        if head.starts_with("GET /api/incidents/x-1 ") {
            // First by a server that has the incident, and not the stream.
            let is_over = ASKED.next() > 2;
            return tell(&mut stream, is_over);
        }
        comes_back_anew(&CONNECTIONS, stream, head)
    });
    let ran = incident(&["watch", "--json", "--until-resolved", "--url", &ended]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("x-1 is already resolved"), "{ran:?}");
    assert_eq!(ran.stderr.matches("leads to a stream without x-1").count(), 1, "{ran:?}");
}

#[test]
fn what_was_open_in_a_server_that_begins_anew_is_said_to_be_lost() {
    static CONNECTIONS: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("GET /api/incidents/x-1 ") {
            return unknown(&mut stream);
        }
        comes_back_anew(&CONNECTIONS, stream, head)
    });
    let ran = incident(&["watch", "--json", "--until-resolved", "--url", &url]).run();
    assert_eq!(ran.status, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("does not know x-1 any more"), "{ran:?}");
}

/// As behind a balancer whose servers have no common journal.
#[test]
fn an_incident_that_the_stream_does_not_have_is_asked_for_until_it_has_ended() {
    static ASKED: Connections = Connections::none();
    let url = server(|mut stream, head| {
        if head.starts_with("GET /api/incidents/x-1 ") {
            let is_over = ASKED.next() > 4;
            return tell(&mut stream, is_over);
        }
        upgrade(&mut stream, head)?;
        play(&mut stream, "T", 0, &json!({ "kind": "started", "from": 1, "to": 0 }), false)
    });
    let ran = incident(&["watch", "--json", "--until-resolved", "--incident", "x-1", "--url", &url]).run();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(ran.stderr.matches("leads to a stream without x-1").count(), 1, "{ran:?}");
}
