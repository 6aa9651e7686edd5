//! `incident trigger` whose first connection says nothing.

use std::io::Write;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::answers::{server, upgrade};
use crate::harness::{PATIENCE, incident, unmasked};

/// The server is there as soon as a connection says something, also if that is not the first one.
#[test]
fn a_connection_that_is_lost_before_it_says_anything_is_not_counted_as_lost_for_ever() {
    static CONNECTIONS: Mutex<u32> = Mutex::new(0);
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            let body = json!({ "id": "x-1", "stream": "S", "position": 1, "scenario": "x" }).to_string();
            let head = format!(
                "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
                body.len()
            );
            return stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes());
        }
        let number = {
            let mut connections = CONNECTIONS.lock().unwrap();
            *connections += 1;
            *connections
        };
        upgrade(&mut stream, head)?;
        if number == 1 {
            return Ok(());
        }
        let fixture = |text: &str, change: &dyn Fn(&mut Value)| {
            let mut message: Value = serde_json::from_str(text).unwrap();
            change(&mut message);
            unmasked(0x81, message.to_string().as_bytes())
        };
        stream.write_all(&fixture(include_str!("../fixtures/messages/stream_opened.json"), &|opened| {
            opened["data"]["stream"] = json!("S");
            opened["data"]["head"] = json!(0);
            opened["data"]["follows"] = json!({ "kind": "resumed", "from": 1, "to": 0 });
        }))?;
        for index in 1.. {
            let sample = include_str!("../fixtures/messages/system_metrics.json");
            stream.write_all(&fixture(sample, &|event| {
                event["source"] = json!("/streams/S");
                (event["id"], event["index"]) = (json!(index.to_string()), json!(index));
                event["subject"] = json!("x-1");
            }))?;
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
