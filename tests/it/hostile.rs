//! Clients that send nonsense, too much or nothing, and clients that do not read. The server serves the others.

use incident::contract::Position;
use incident::journal::Retention;
use incident::server::Options;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::harness::{
    Client, Event, Local, Raw, action, envelope, get, masked, metrics, ms, options, soon, started, story,
    unmasked,
};

/// Sends bytes on an open WebSocket and gives the close code.
async fn closed_after(server: &Local, bytes: &[u8]) -> u16 {
    let mut raw = Raw::connect(server.address).await.upgrade("").await;
    raw.send(bytes).await;
    raw.closed().await.1
}

/// The server is in order when a newcomer is told so and an event reaches it.
async fn still_serves(server: &Local) {
    let mut client = server.client().await;
    let positions = server.append(story(&format!("proof-{}", client.opened.head), 2)).await;
    client.up_to(positions[1]).await;
}

#[tokio::test]
async fn what_a_client_says_is_ignored() {
    let server = Local::start().await;
    let mut client = server.client().await;
    client.send(Message::text("{\"type\":\"incident_started\"}")).await;
    client.send(Message::binary(vec![0, 159, 146, 150])).await;
    client.send(Message::text("")).await;
    server.append(story("a", 2)).await;
    assert_eq!(client.up_to(2).await.len(), 2);
}

#[tokio::test]
async fn a_message_over_16_kib_is_closed_with_1009_and_one_of_16_kib_is_not() {
    let server = Local::start().await;
    let mut client = server.client().await;
    client.send(Message::text("x".repeat(16 * 1024))).await;
    server.append(story("a", 2)).await;
    client.up_to(2).await;
    client.send(Message::text("x".repeat(16 * 1024 + 1))).await;
    assert_eq!(client.closed().await.0, 1009);
    // A frame that only claims to be large is refused before its bytes come.
    assert_eq!(closed_after(&server, &masked(0x81, &vec![b'x'; 70_000])[..14]).await, 1009);
    still_serves(&server).await;
}

#[tokio::test]
async fn a_message_in_many_small_frames_is_bounded_as_a_whole() {
    let server = Local::start().await;
    let mut raw = Raw::connect(server.address).await.upgrade("").await;
    raw.send(&masked(0x01, &[b'x'; 8_000])).await;
    raw.send(&masked(0x00, &[b'x'; 8_000])).await;
    raw.send(&masked(0x00, &[b'x'; 8_000])).await;
    assert_eq!(raw.closed().await.1, 1009);
}

#[tokio::test]
async fn a_flood_is_closed_with_1008() {
    let server = Local::start().await;
    let mut client = server.client().await;
    let mut sent = 0;
    // The close may overtake what is still being sent.
    while sent < 2_000 && client.try_send(Message::text("?")).await {
        sent += 1;
    }
    assert_eq!(client.closed().await.0, 1008);
    still_serves(&server).await;
}

#[tokio::test]
async fn what_breaks_the_protocol_is_closed_with_1002() {
    let server = Local::start().await;
    for (what, bytes) in [
        ("an unmasked frame", unmasked(0x81, b"hello")),
        ("a reserved data opcode", masked(0x83, b"hello")),
        ("a reserved control opcode", masked(0x8b, b"")),
        ("a reserved bit", masked(0xc1, b"hello")),
        ("a control frame in pieces", masked(0x09, b"")),
        ("a control frame over 125 bytes", masked(0x89, &[0; 126])),
        ("a continuation of nothing", masked(0x80, b"hello")),
        ("a text inside a text", [masked(0x01, b"a"), masked(0x81, b"b")].concat()),
    ] {
        assert_eq!(closed_after(&server, &bytes).await, 1002, "{what}");
    }
    still_serves(&server).await;
}

#[tokio::test]
async fn text_that_is_not_utf8_is_closed_with_1007() {
    let server = Local::start().await;
    assert_eq!(closed_after(&server, &masked(0x81, &[0x66, 0xff, 0xfe])).await, 1007);
    assert_eq!(closed_after(&server, &masked(0x81, &[0xed, 0xa0, 0x80])).await, 1007, "a surrogate");
}

#[tokio::test]
async fn a_close_is_answered_with_a_close() {
    let server = Local::start().await;
    let mut raw = Raw::connect(server.address).await.upgrade("").await;
    raw.send(&masked(0x88, &1000_u16.to_be_bytes())).await;
    let (_, code, _) = raw.closed().await;
    assert_eq!(code, 1000);
    assert_eq!(raw.frame().await, None, "nothing comes after");
}

/// One more client, as soon as it is let in. Asks at a humane rate.
async fn next_client(server: &Local, query: &str) -> Client {
    let asking = async {
        loop {
            match Client::with_headers(server.address, query, &[]).await {
                Ok(client) => return client,
                Err(_) => tokio::time::sleep(ms(5)).await,
            }
        }
    };
    soon("a place", asking).await
}

/// Appends enough that no kernel buffer holds it all, then gives the head.
async fn overfill(server: &Local) -> u64 {
    let filler = "x".repeat(1_000);
    server.append(vec![started("fill")]).await;
    for batch in (2..6_000).collect::<Vec<u64>>().chunks(500) {
        server.append(batch.iter().map(|index| action("fill", *index, &filler)).collect()).await;
    }
    5_999
}

#[tokio::test]
async fn who_reads_nothing_is_closed_with_4008_and_resumes_while_others_notice_nothing() {
    let options = Options { write_deadline: ms(500), max_clients: 2, ..options() };
    let server = Local::with(options, Retention::default()).await;
    let mut sleeper = Raw::narrow(server.address).await.upgrade("").await;
    let mut reader = server.client().await;
    let reading = tokio::spawn(async move {
        let events = reader.up_to(5_999).await;
        reader.up_to(6_000).await;
        events
    });
    overfill(&server).await;
    // Two may be here: a third gets in when the server has given the sleeper up. Nothing was read until then.
    drop(next_client(&server, "").await);
    let (texts, code, reason) = sleeper.closed().await;
    assert_eq!(code, 4008, "{reason}");

    let events: Vec<_> = texts.iter().filter_map(|text| envelope(text).position()).collect();
    let got = events.last().expect("what the buffers held").clone();
    assert!(got.n < 5_999, "it did not get everything");
    let named: Position = reason.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{reason:?}"));
    assert_eq!(named, got, "the reason names the last event that was sent whole");

    let mut back = next_client(&server, &format!("?after={named}")).await;
    let missed: Vec<Event> = back.up_to(5_999).await;
    assert_eq!(missed[0].position, got.n + 1);
    server.append(vec![metrics("fill", 6_000)]).await;
    let all = soon("the reader", reading).await.unwrap();
    assert_eq!(all.len(), 5_999);
    let seen: Vec<&str> = texts[1..].iter().map(String::as_str).collect();
    let joined: Vec<&str> = seen.into_iter().chain(missed.iter().map(|event| event.frame.as_str())).collect();
    assert!(joined == all.iter().map(|event| event.frame.as_str()).collect::<Vec<_>>(), "no gap, no repeat");
}

#[tokio::test]
async fn half_a_handshake_and_garbage_leave_the_server_serving() {
    let server = Local::start().await;
    let half = b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: webso";
    Raw::connect(server.address).await.send(half).await;
    let mut kept = Raw::connect(server.address).await;
    kept.send(half).await;
    for garbage in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"\0\0\0\0\r\n\r\n", b"NONSENSE\r\n\r\n"]
    {
        let mut raw = Raw::connect(server.address).await;
        raw.send(garbage).await;
        let answer = raw.rest().await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    still_serves(&server).await;
    drop(kept);
}

#[tokio::test]
async fn a_client_that_leaves_right_after_the_handshake_frees_its_place() {
    let options = Options { max_clients: 1, ..options() };
    let server = Local::with(options, Retention::default()).await;
    // Each of them is let in and leaves at once: the next one has its place.
    for _ in 0..20 {
        drop(next_client(&server, "").await);
    }
}

#[tokio::test]
async fn a_head_of_64_kib_is_refused() {
    let server = Local::start().await;
    let mut raw = Raw::connect(server.address).await;
    let header = format!("X-Long: {}\r\n\r\n", "x".repeat(64 * 1024));
    raw.send(format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}").as_bytes()).await;
    let answer = raw.rest().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many = "X-Many: y\r\n".repeat(2_000);
    let mut raw = Raw::connect(server.address).await;
    raw.send(format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{many}\r\n").as_bytes()).await;
    let answer = raw.rest().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    still_serves(&server).await;
}

#[tokio::test]
async fn http_1_0_gets_pages_and_no_socket() {
    let server = Local::start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.send(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").await;
    let answer = raw.rest().await;
    assert!(answer.starts_with("HTTP/1.0 200") && answer.ends_with("ok\n"), "{answer}");
    let mut raw = Raw::connect(server.address).await;
    raw.send(
        b"GET /ws HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
          Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .await;
    let answer = raw.rest().await;
    assert!(answer.starts_with("HTTP/1.0 4"), "{answer}");
}

#[tokio::test]
async fn a_handshake_that_is_none_is_an_http_problem() {
    let server = Local::start().await;
    let plain = get(server.address, "/ws").await;
    assert!(plain.problem(426).contains("WebSocket"));
    assert_eq!(plain.header("upgrade"), "websocket");
    let mut raw = Raw::connect(server.address).await;
    raw.send(
        b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
          Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .await;
    assert!(raw.head().await.starts_with("HTTP/1.1 4"), "an old version of the protocol");
}

#[tokio::test]
async fn beyond_max_clients_is_503_with_retry_after_until_one_leaves() {
    let server = Local::with(Options { max_clients: 2, ..options() }, Retention::default()).await;
    let (first, _second) = (server.client().await, server.client().await);
    match Client::with_headers(server.address, "", &[]).await.map_err(|error| *error) {
        Err(Error::Http(response)) => {
            assert_eq!(response.status(), 503);
            let retry = response.headers().get("retry-after").unwrap().to_str().unwrap();
            assert!(retry.parse::<u32>().unwrap() > 0, "{retry}");
        }
        other => panic!("instead of 503: {:?}", other.map(|client| client.opened)),
    }
    assert_eq!(get(server.address, "/healthz").await.status, 200, "pages are still served");
    drop(first);
    drop(next_client(&server, "").await);
}

#[tokio::test]
async fn a_client_that_never_reads_does_not_hold_up_the_end() {
    let options = Options { write_deadline: ms(60_000), drain: ms(60_000), ..options() };
    let server = Local::with(options, Retention::default()).await;
    let _stuck = Raw::narrow(server.address).await.upgrade("").await;
    let fill = "x".repeat(30_000);
    server.append(vec![started("fill")]).await;
    for index in 2..400 {
        server.append(vec![action("fill", index, &fill)]).await;
    }
    soon("the server to stop", server.drained()).await;
}
