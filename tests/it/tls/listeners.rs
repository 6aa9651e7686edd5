//! What listeners get over TLS is what they get without: from the journal, at the end, as an event stream, as a page.

use incident::client::{Follower, Item};
use incident::journal::Retention;
use incident::server::Options;

use super::{Authority, endpoint, listener, local, up_to};
use crate::harness::{Local, Raw, Sse, options, soon, story};

/// The ring keeps 16,384 frames: who begins before it pages from the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_past_comes_from_the_journal_exactly() {
    const PAST: u64 = 20_000;
    let authority = Authority::with_server();
    let with_tls = Options { tls: Some(authority.server()), ..options() };
    let server = Local::in_a_file(with_tls, Retention::default()).await;
    for number in 0..PAST / 5_000 {
        server.append(story(&format!("past-{number}"), 5_000)).await;
    }
    let following = Follower::connect(endpoint(&authority, &server).into(), Some("0".to_owned()), false);
    let mut follower = soon("a connection", following).await.unwrap();
    let mut seen = Vec::new();
    while (seen.len() as u64) < PAST {
        match soon("an event", follower.next()).await.unwrap().expect("it stays connected") {
            Item::Event { raw, .. } => seen.push(raw),
            Item::Opened(_) | Item::Heartbeat(_) => {}
            other => panic!("{other:?}"),
        }
    }
    // The same bytes as a journal gives to whoever asks without TLS.
    let plain = Local::over(options(), server.journal.clone()).await;
    let mut client = plain.client_after(0).await;
    for (event, raw) in client.up_to(PAST).await.into_iter().zip(seen) {
        assert!(event.frame == raw, "{} {raw}", event.frame);
    }
}

#[tokio::test]
async fn a_server_that_stops_says_1012_to_everybody() {
    let authority = Authority::with_server();
    let server = local(&authority, options()).await;
    let mut listeners = Vec::new();
    for _ in 0..50 {
        listeners.push(listener(&authority, &server, "").await);
    }
    let positions = server.append(story("a", 2)).await;
    let drained = tokio::spawn(server.drained());
    for mut listener in listeners {
        let (texts, code, _) = listener.closed().await;
        assert_eq!(code, 1012);
        assert!(texts.len() as u64 > positions[1], "the events that were before it came: {texts:?}");
        assert_eq!(listener.rest().await, "", "and TLS is closed properly");
    }
    soon("the server to end", drained).await.unwrap();
}

#[tokio::test]
async fn an_event_stream_over_https_resumes_as_one_over_http() {
    let authority = Authority::with_server();
    let server = local(&authority, options()).await;
    let config = authority.client();
    server.append(story("a", 20)).await;
    let https = async || Raw::connect(server.address).await.encrypt(&config).await;
    let mut first = Sse::over(https().await, "?after=0", &[]).await;
    for position in 1..=10 {
        assert_eq!(first.event().await.position, position);
    }
    drop(first);
    let position = server.position(10);
    let mut second = Sse::over(https().await, "", &[("Last-Event-ID", &position)]).await;
    for position in 11..=20 {
        assert_eq!(second.event().await.position, position);
    }
    server.append(story("b", 2)).await;
    assert_eq!(second.event().await.position, 21);
}

#[tokio::test]
async fn the_page_comes_over_https_and_only_its_own_origin_may_use_the_socket() {
    let authority = Authority::with_server();
    let server = local(&authority, options()).await;
    let config = authority.client();
    let asked = async |path: &str, origin: &str| {
        let mut raw = Raw::connect(server.address).await.encrypt(&config).await;
        let (address, close) = (server.address, "Connection: close");
        let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: {origin}\r\n{close}\r\n\r\n");
        raw.send(head.as_bytes()).await;
        raw.rest().await
    };
    let own = format!("https://{}", server.address);
    let page = asked("/", &own).await;
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("<html"), "{page}");
    for origin in [format!("http://{}", server.address), "https://localhost".to_owned()] {
        let refused = asked("/ws", &origin).await;
        assert!(refused.starts_with("HTTP/1.1 403 "), "{origin}: {refused}");
    }
    let socket = asked("/ws", &own).await;
    assert!(socket.starts_with("HTTP/1.1 426 "), "{socket}");
    let mut raw = listener(&authority, &server, "").await;
    server.append(story("a", 2)).await;
    assert_eq!(up_to(&mut raw, 2).await.len(), 2);
}
