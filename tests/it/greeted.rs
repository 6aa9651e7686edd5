//! A server that greets everybody and says nothing more, or begins with everything again: it is not back.

use std::io::Write;
use std::net::TcpStream;

use incident::client::{Follower, Item};
use serde_json::{Value, json};

use crate::answers::{server, upgrade};
use crate::harness::{incident, soon, unmasked};

/// A greeting: the events from 1 to `to` follow.
fn greeting(kind: &str, to: u64) -> Vec<u8> {
    let mut opened: Value =
        serde_json::from_str(include_str!("../fixtures/messages/stream_opened.json")).unwrap();
    let data = &mut opened["data"];
    (data["stream"], data["head"], data["oldest"]) = (json!("S"), json!(to), json!(1));
    data["follows"] = json!({ "kind": kind, "from": 1, "to": to });
    unmasked(0x81, opened.to_string().as_bytes())
}

fn sample(index: u64) -> Vec<u8> {
    let mut event: Value =
        serde_json::from_str(include_str!("../fixtures/messages/system_metrics.json")).unwrap();
    event["source"] = json!("/streams/S");
    (event["id"], event["index"], event["subject"]) = (json!(index.to_string()), json!(index), json!("x-1"));
    unmasked(0x81, event.to_string().as_bytes())
}

fn accepts(stream: &mut TcpStream) -> std::io::Result<()> {
    let body = json!({ "id": "x-1", "stream": "S", "position": 1, "scenario": "x" }).to_string();
    let length = body.len();
    let head =
        format!("HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n");
    stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes())
}

#[test]
fn trigger_gives_up_on_a_server_that_only_greets() {
    let url = server(|mut stream, head| {
        if head.starts_with("POST") {
            return accepts(&mut stream);
        }
        upgrade(&mut stream, head)?;
        stream.write_all(&greeting("resumed", 6))
    });
    let ran = incident(&["trigger", "x", "--reconnect-for", "2s", "--url", &url]).run();
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("did not answer for 2s"), "{ran:?}");
    assert_eq!(ran.stderr.matches("connection lost").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.matches("reconnected").count() <= 1, "{}", ran.stderr);
}

/// Watching goes on as long as somebody wants it, but says nothing new.
#[test]
fn watch_says_once_that_a_server_only_greets() {
    let url = server(|mut stream, head| {
        upgrade(&mut stream, head)?;
        stream.write_all(&unmasked(0x81, "x".repeat(200).as_bytes()))?;
        stream.write_all(&greeting("resumed", 6))
    });
    let mut running = incident(&["watch", "--url", &url]).spawn();
    let cut = format!("not an event: {}…", "x".repeat(79));
    for _ in 0..4 {
        running.says(&cut);
    }
    running.signal("INT");
    let ran = running.end();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(ran.stderr.matches("connection lost").count(), 1, "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("reconnected").count(), 1, "{}", ran.stderr);
}

/// It is one that knows no positions.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_sends_again_at_each_connection_comes_once() {
    let url = server(|mut stream, head| {
        upgrade(&mut stream, head)?;
        stream.write_all(&greeting("started", 2))?;
        stream.write_all(&sample(1))?;
        stream.write_all(&sample(2))
    });
    let url = format!("{}ws", url.replace("http://", "ws://"));
    let mut follower = Follower::connect(url.parse().unwrap(), None, true).await.unwrap();
    let (mut came, mut returns) = (Vec::new(), Vec::new());
    while returns.len() < 3 {
        match soon("the follower", follower.next()).await.unwrap().expect("it reconnects") {
            Item::Event { envelope, .. } => came.push(envelope.position().unwrap().n),
            Item::Back { replayed, lost, .. } => returns.push((replayed, lost)),
            Item::Opened(_) | Item::Lost { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(came, [1, 2]);
    assert_eq!(returns, [(0, Some(0)); 3]);
}
