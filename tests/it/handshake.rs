//! A handshake that comes with the first bytes of a connection is answered without an HTTP connection, any other by HTTP.
//! Both are judged by the same rules, and answered alike.

use incident::journal::Retention;
use incident::server::Options;

use crate::harness::{Local, READ, Raw, masked, options, story};

const USUAL: &str = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// What a server says to a request for the stream: the status line, the headers that are not dates, and what refuses it.
async fn answer(server: &Local, path: &str, headers: &str, kept: bool) -> (Vec<String>, String) {
    let mut raw = Raw::connect(server.address).await;
    if kept {
        // From here on the connection speaks HTTP.
        raw.send(b"HEAD /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
        assert!(raw.head().await.starts_with("HTTP/1.1 200 "));
    }
    raw.send(format!("GET {path} HTTP/1.1\r\n{headers}\r\n").as_bytes()).await;
    let head = raw.head().await;
    let mut lines: Vec<String> =
        head.lines().map(str::to_owned).filter(|line| !line.to_lowercase().starts_with("date:")).collect();
    lines.sort();
    let text = if head.starts_with("HTTP/1.1 101 ") {
        raw.text().await
    } else if head.contains("transfer-encoding: chunked") {
        String::from_utf8(raw.chunk().await.unwrap()).unwrap()
    } else {
        raw.shutdown().await;
        raw.rest().await
    };
    (lines, text)
}

#[tokio::test]
async fn both_ways_to_a_websocket_are_judged_alike() {
    let open = Local::with(Options { max_clients: 64, ..options() }, Retention::default()).await;
    open.append(story("a", 3)).await;
    let closed = Local::closed().await;
    let host = "Host: 127.0.0.1\r\n";
    let bearer = format!("{host}Authorization: Bearer {READ}\r\n{USUAL}");
    let here = open.position(2);
    let cases = [
        (&open, "/ws".to_owned(), format!("{host}{USUAL}"), "101"),
        (&open, format!("/ws?after={here}"), format!("{host}{USUAL}"), "101"),
        (
            &open,
            "/ws".to_owned(),
            format!("{host}{USUAL}Sec-WebSocket-Protocol: x, cloudevents.json\r\n"),
            "101",
        ),
        (&closed, "/ws".to_owned(), bearer, "101"),
        (&closed, "/ws".to_owned(), format!("{host}{USUAL}"), "401"),
        (&closed, "/ws".to_owned(), format!("{host}{USUAL}Authorization: Bearer wrong\r\n"), "401"),
        (&open, "/ws?after=x".to_owned(), format!("{host}{USUAL}"), "400"),
        (&open, "/ws?token=x".to_owned(), format!("{host}{USUAL}"), "400"),
        (&open, "/ws".to_owned(), format!("Host: evil.example\r\n{USUAL}"), "421"),
        (&open, "/ws".to_owned(), USUAL.to_owned(), "400"),
        (&open, "/ws".to_owned(), format!("{host}{USUAL}Origin: https://evil.example\r\n"), "403"),
        (&open, "/ws".to_owned(), format!("{host}{}", USUAL.replace(": 13", ": 8")), "426"),
        (
            &open,
            "/ws".to_owned(),
            format!("{host}{}", USUAL.replace("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "")),
            "400",
        ),
        (&open, "/ws".to_owned(), format!("{host}{}", USUAL.replace("keep-alive, Upgrade", "close")), "426"),
        (
            &open,
            "/ws".to_owned(),
            format!("{host}{}", USUAL.replace("keep-alive, Upgrade", "close, Upgrade")),
            "101",
        ),
        // RFC 6455, 11.3.1: not more than once.
        (
            &open,
            "/ws".to_owned(),
            format!("{host}{USUAL}Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"),
            "400",
        ),
        (&open, "/else/ws".to_owned(), format!("{host}{USUAL}"), "404"),
    ];
    for (server, path, headers, status) in cases {
        same_answer(server, &path, &headers, status).await;
    }
}

/// Both ways give this status. What follows is compared where it has no time in it.
async fn same_answer(server: &Local, path: &str, headers: &str, status: &str) {
    let (direct, kept) =
        (answer(server, path, headers, false).await, answer(server, path, headers, true).await);
    assert!(
        direct.0.iter().any(|line| line.starts_with(&format!("HTTP/1.1 {status} "))),
        "{headers}: {direct:?}"
    );
    assert_eq!(direct.0, kept.0, "{path} {headers}");
    if !["101", "200"].contains(&status) {
        assert_eq!(direct.1, kept.1, "{path} {headers}");
    }
}

#[tokio::test]
async fn both_ways_to_an_event_stream_are_judged_alike() {
    let open = Local::with(Options { max_clients: 64, ..options() }, Retention::default()).await;
    open.append(story("a", 3)).await;
    let (closed, full) = (
        Local::closed().await,
        Local::with(Options { max_clients: 0, ..options() }, Retention::default()).await,
    );
    let host = "Host: 127.0.0.1\r\n";
    let here = open.position(2);
    for (server, path, headers, status) in [
        (&open, "/events".to_owned(), String::new(), "200"),
        (&open, format!("/events?after={here}"), "Accept: text/event-stream\r\n".to_owned(), "200"),
        (&open, "/events".to_owned(), format!("Last-Event-ID: {here}\r\n"), "200"),
        (&open, "/events".to_owned(), "Connection: keep-alive\r\n".to_owned(), "200"),
        (&open, "/events".to_owned(), "Connection: close\r\n".to_owned(), "200"),
        (&open, "/events".to_owned(), USUAL.to_owned(), "200"),
        (&open, "/events".to_owned(), "Last-Event-ID: x\r\n".to_owned(), "400"),
        (&open, "/events".to_owned(), format!("Last-Event-ID: {here}\r\n").repeat(2), "400"),
        (&open, "/events?after=x".to_owned(), String::new(), "400"),
        (&open, "/events".to_owned(), "Origin: https://evil.example\r\n".to_owned(), "403"),
        (&open, "/else/events".to_owned(), String::new(), "404"),
        (&open, "/api/incidents/a-aaaaa/events".to_owned(), String::new(), "404"),
        (&closed, "/events".to_owned(), String::new(), "401"),
        (&closed, "/events".to_owned(), format!("Authorization: Bearer {READ}\r\n"), "200"),
        (&full, "/events".to_owned(), String::new(), "503"),
    ] {
        same_answer(server, &path, &format!("{host}{headers}"), status).await;
    }
    same_answer(&open, "/events", "Host: evil.example\r\n", "421").await;
    same_answer(&open, "/events", "", "400").await;
}

/// HTTP goes on with the connection of a handshake that it did not see refused.
#[tokio::test]
async fn a_refused_handshake_leaves_its_connection_to_http() {
    let server = Local::closed().await;
    let mut raw = Raw::connect(server.address).await;
    let requests = format!(
        "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n{USUAL}\r\nHEAD /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    );
    raw.send(requests.as_bytes()).await;
    raw.shutdown().await;
    let answers = raw.rest().await;
    assert_eq!(answers.matches("HTTP/1.1 401 ").count(), 1, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 1, "{answers}");
}

/// A client may send behind its handshake without waiting for the answer.
#[tokio::test]
async fn what_comes_with_the_handshake_is_heard() {
    let server = Local::start().await;
    let mut raw = Raw::connect(server.address).await;
    let mut bytes = format!("GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n{USUAL}\r\n").into_bytes();
    bytes.extend_from_slice(&masked(0x89, b"early"));
    raw.send(&bytes).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 101 "));
    let mut kinds = Vec::new();
    while kinds.len() < 2 {
        let (kind, payload) = raw.frame().await.unwrap();
        kinds.push(kind);
        assert!(kind != 0xa || payload == b"early");
    }
    assert_eq!(kinds, [0x1, 0xa], "the greeting, then the pong");
}
