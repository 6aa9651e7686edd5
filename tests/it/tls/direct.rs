//! A WebSocket handshake over TLS, which is answered without an HTTP connection: nothing that comes with it is lost, and a client
//! that goes is told from one whose connection broke.

use super::{Authority, local};
use crate::harness::{Raw, masked, options};

const HANDSHAKE: &str = "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// More than the server reads at first, in one record with the handshake: the rest waits in the state of the TLS connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_in_one_record_with_the_handshake_is_heard() {
    const PINGS: usize = 8;
    let authority = Authority::with_server();
    let server = local(&authority, options()).await;
    let mut raw = Raw::connect(server.address).await.encrypt(&authority.client()).await;
    let mut bytes = format!("{HANDSHAKE}X-Long: {}\r\n\r\n", "x".repeat(1_500)).into_bytes();
    for ping in 0..PINGS {
        bytes.extend(masked(0x89, format!("{ping:0100}").as_bytes()));
    }
    assert!((2_049..16_384).contains(&bytes.len()));
    raw.send(&bytes).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 101 "));
    let mut pongs = Vec::new();
    while pongs.len() < PINGS {
        let (kind, payload) = raw.frame().await.unwrap();
        if kind == 0xa {
            pongs.push(String::from_utf8(payload).unwrap().parse::<usize>().unwrap());
        }
    }
    assert_eq!(pongs, (0..PINGS).collect::<Vec<_>>(), "each once and in order");
}

/// The client sends `close_notify` and still reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_to_a_client_that_has_closed_its_side_ends_with_the_reason() {
    let authority = Authority::with_server();
    let server = local(&authority, options()).await;
    let mut raw = Raw::connect(server.address).await.encrypt(&authority.client()).await;
    raw.send(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n").await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200 "));
    raw.shutdown().await;
    let rest = raw.rest().await;
    assert!(rest.contains(": 1000 closed by the client"), "{rest}");
    assert!(rest.ends_with("0\r\n\r\n"), "the response is whole: {rest}");
}
