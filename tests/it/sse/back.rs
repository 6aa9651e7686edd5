//! An `EventSource` gives up for good on any answer but 200: a refusal that will pass must bring it back.

use std::path::PathBuf;

use incident::journal::Retention;
use incident::server::Options;

use crate::harness::{Http, Local, Numbers, Reply, Sse, get, ms, options, root, soon, story};

fn event_source(server: &Local) -> Http {
    Http::new(server.address, "GET", "/events").header("Accept", "text/event-stream")
}

/// Asserts an answer that brings a browser back. Gives how long it waits, in milliseconds.
fn comes_back(reply: &Reply, why: &str) -> u64 {
    assert_eq!((reply.status, reply.header("content-type")), (200, "text/event-stream"), "{reply:?}");
    let (retry, comment) = reply.body.split_once('\n').unwrap();
    assert!(comment.starts_with(": ") && comment.contains(why), "{}", reply.body);
    // No empty line: some clients take any block for an event.
    assert!(!reply.body.contains("\n\n"), "{:?}", reply.body);
    retry.strip_prefix("retry: ").unwrap().parse().unwrap()
}

#[tokio::test]
async fn during_a_drain_an_event_source_is_brought_back_and_a_program_is_told_503() {
    let server = Local::with(Options { drain: ms(60_000), ..options() }, Retention::default()).await;
    let address = server.address;
    // Many enough that they take a while to leave.
    let mut clients = Vec::new();
    for _ in 0..400 {
        clients.push(server.client().await);
    }
    let (asked, program) = (event_source(&server), Http::new(address, "GET", "/events"));
    let draining = tokio::spawn(server.drained());
    soon("readiness to fail", async { while get(address, "/readyz").await.status != 503 {} }).await;
    let wait = comes_back(&asked.send().await, "stopping");
    assert!((1_000..=3_000).contains(&wait), "{wait}");
    let refused = program.send().await;
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
    refused.problem(503);
    Numbers::of(address).await.are(&[("incident_refusals_total{reason=\"stopping\"}", 2)]);
    drop(clients);
    soon("the end", draining).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_full_brings_an_event_source_back_later() {
    let allowed = "https://incidents.example";
    let options = Options { max_clients: 1, allow_origins: vec![allowed.parse().unwrap()], ..options() };
    let server = Local::with(options, Retention::default()).await;
    let first = Sse::connect(server.address, "", &[]).await;
    let full = event_source(&server).origin(allowed).send().await;
    let wait = comes_back(&full, "limit of 1 clients");
    assert!((5_000..=15_000).contains(&wait), "{wait}");
    assert_eq!(full.header("access-control-allow-origin"), allowed, "a page elsewhere reads it too");
    get(server.address, "/events").await.problem(503);
    // A position that is none never becomes one.
    event_source(&server).header("Last-Event-ID", "x").send().await.problem(400);
    drop(first);
}

#[tokio::test]
async fn an_event_source_that_comes_too_fast_is_brought_back() {
    let server = Local::with(Options { admit_rate: 2, ..options() }, Retention::default()).await;
    let mut brought_back = 0;
    for _ in 0..12 {
        // Admitted, it is a stream without an end: the head says that.
        let mut raw = crate::harness::Raw::connect(server.address).await;
        raw.send(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n").await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        if head.to_lowercase().contains("transfer-encoding") {
            continue;
        }
        let body = raw.rest().await;
        assert!(body.starts_with("retry: ") && body.contains("too many connections"), "{body}");
        brought_back += 1;
    }
    assert!(brought_back >= 4, "{brought_back}");
    let mut last = get(server.address, "/healthz").await;
    assert_eq!(last.status, 429, "other requests are told as before");
    soon("its turn", async {
        while last.status != 200 {
            last = get(server.address, "/healthz").await;
        }
    })
    .await;
}

/// Some clients take every block for an event, whatever is in it.
#[tokio::test]
async fn every_block_is_an_event_from_the_first_to_the_last() {
    let server = Local::with(Options { heartbeat: ms(100), ..options() }, Retention::default()).await;
    server.append(story("a", 3)).await;
    let mut raw = crate::harness::Raw::connect(server.address).await;
    crate::harness::request(&mut raw, "?after=0", &[]).await;
    raw.head().await;
    let mut text = String::new();
    while !text.contains("heartbeat") {
        text += &String::from_utf8(raw.chunk().await.unwrap()).unwrap();
    }
    let draining = tokio::spawn(server.drained());
    while let Some(piece) = raw.chunk().await.filter(|piece| !piece.is_empty()) {
        text += &String::from_utf8(piece).unwrap();
    }
    draining.await.unwrap();
    let (blocks, goodbye) = text.rsplit_once("\n\n").unwrap();
    for block in blocks.split("\n\n") {
        assert!(block.lines().any(|line| line.starts_with("data: ")), "{block:?}");
        assert!(block.lines().any(|line| line.starts_with("event: ")), "{block:?}");
    }
    let first = blocks.split("\n\n").next().unwrap();
    let fields: Vec<_> = first.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(fields, ["retry", "id", "event", "data"]);
    assert!(goodbye.starts_with(": 1012 "), "{goodbye:?}");
}

/// The example for pages in `docs/stream.md`.
pub fn documented_page() -> String {
    let file: PathBuf = root().join("docs/stream.md");
    let text = std::fs::read_to_string(file).unwrap();
    let code = text.split("```js\n").nth(1).and_then(|rest| rest.split("```").next());
    code.expect("an example in JavaScript").to_owned()
}
