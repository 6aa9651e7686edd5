//! What a client sees on `/ws`: what follows a position, in which order, and the same for everybody.

use incident::contract::{Follows, ResetReason, ServerState};
use incident::journal::Retention;
use incident::server::Options;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Client, Local, action, envelope, metrics, ms, options, resolved, soon, started, story};

fn positions(range: std::ops::RangeInclusive<u64>, seen: &[crate::harness::Event]) {
    let seen: Vec<u64> = seen.iter().map(|event| event.position).collect();
    assert_eq!(seen, range.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_late_joiner_sees_byte_for_byte_what_an_early_one_saw() {
    let server = Local::start().await;
    let mut early = server.client().await;
    server
        .append(vec![started("a"), metrics("a", 2), action("a", 3, "Ünïcode \"quoted\" \\ / \u{1f525}")])
        .await;
    let seen = early.up_to(3).await;
    let mut late = server.client().await;
    let mut resumed = server.client_after(0).await;
    let mut replayed = Client::connect(server.address, "?after=0").await;
    assert_eq!(late.up_to(3).await, seen);
    assert_eq!(resumed.up_to(3).await, seen);
    assert_eq!(replayed.up_to(3).await, seen);
}

#[tokio::test]
async fn a_heartbeat_carries_the_head_and_comes_to_who_is_there() {
    let server = Local::with(Options { heartbeat: ms(100), ..options() }, Retention::default()).await;
    let mut client = server.client().await;
    assert_eq!(client.opened.heartbeat_ms, 100);
    assert_eq!(client.heartbeat().await.head, 0);
    server.append(story("a", 3)).await;
    client.up_to(3).await;
    let beat = client.heartbeat().await;
    assert_eq!((beat.head, beat.state, beat.reason), (3, ServerState::Playing, None));
    assert_eq!(beat.stream, client.opened.stream);
}

#[tokio::test]
async fn no_heartbeat_ever_names_a_head_that_was_not_sent() {
    let server = Local::with(Options { heartbeat: ms(5), ..options() }, Retention::default()).await;
    let mut client = server.client().await;
    let appended = async {
        server.append(vec![started("a")]).await;
        for index in 2..400 {
            server.append(vec![metrics("a", index)]).await;
            tokio::time::sleep(ms(1)).await;
        }
        server.append(vec![resolved("a", 400)]).await;
    };
    let followed = async {
        let (mut position, mut beats) = (0, 0);
        while position < 400 {
            let envelope = envelope(&client.text().await);
            match envelope.message().unwrap() {
                incident::contract::Message::Heartbeat(beat) => {
                    beats += 1;
                    assert_eq!(beat.head, position, "a false loss");
                }
                _ => position = envelope.position().unwrap().n,
            }
        }
        beats
    };
    let (beats, ()) = soon("all events", async { tokio::join!(followed, appended) }).await;
    assert!(beats > 3, "{beats} heartbeats came between the events");
}

#[tokio::test]
async fn a_burst_reaches_fifty_clients_without_a_gap_and_equal() {
    const LENGTH: u64 = 4_000;
    let server = Local::start().await;
    let mut clients = Vec::new();
    for _ in 0..50 {
        clients.push(server.client().await);
    }
    let reading = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            let events = client.up_to(LENGTH).await;
            positions(1..=LENGTH, &events);
            // The digest of all bytes, not the bytes: fifty copies are compared.
            events.iter().fold(std::hash::DefaultHasher::new(), |mut hasher, event| {
                std::hash::Hash::hash(&event.frame, &mut hasher);
                hasher
            })
        })
    });
    let reading: Vec<_> = reading.collect();
    for batch in story("burst", LENGTH).chunks(500) {
        server.append(batch.to_vec()).await;
    }
    let mut digests = std::collections::HashSet::new();
    for reader in reading {
        digests.insert(std::hash::Hasher::finish(&reader.await.unwrap()));
    }
    assert_eq!(digests.len(), 1, "everybody reads the same bytes");
}

#[tokio::test]
async fn a_client_far_behind_the_ring_pages_from_the_journal_without_a_gap() {
    // The ring keeps 16,384 frames; this one begins before it.
    const LENGTH: u64 = 18_000;
    let server = Local::start().await;
    server.append(story("long", LENGTH)).await;
    let mut client = server.client_after(0).await;
    positions(1..=LENGTH, &client.up_to(LENGTH).await);
}

#[tokio::test]
async fn the_subprotocol_is_echoed_only_to_who_offers_it() {
    let server = Local::start().await;
    let protocol = |client: &Client| {
        client.answer.headers().get("sec-websocket-protocol").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(protocol(&server.client().await), None);
    for offer in ["cloudevents.json", "mqtt, cloudevents.json"] {
        let headers = [("Sec-WebSocket-Protocol", offer)];
        let client = Client::with_headers(server.address, "", &headers).await.unwrap();
        assert_eq!(protocol(&client).as_deref(), Some("cloudevents.json"), "{offer}");
    }
}

#[tokio::test]
async fn a_ping_is_answered_by_a_pong_with_its_payload() {
    let server = Local::start().await;
    let mut client = server.client().await;
    client.send(Message::Ping("are you there".into())).await;
    match client.message().await {
        Some(Ok(Message::Pong(payload))) => assert_eq!(payload, "are you there"),
        other => panic!("instead of a pong: {other:?}"),
    }
}

#[tokio::test]
async fn the_server_asks_a_silent_client_whether_it_is_there() {
    let server = Local::with(Options { heartbeat: ms(50), ..options() }, Retention::default()).await;
    let mut client = server.client().await;
    loop {
        match client.message().await {
            Some(Ok(Message::Ping(_))) => return,
            Some(Ok(Message::Text(_))) => {}
            other => panic!("instead of a ping: {other:?}"),
        }
    }
}

/// Retention may be faster than a client, and even than the hub. Nobody is sent other events under those positions.
#[tokio::test]
async fn who_is_overtaken_by_retention_is_told_and_sent_nothing_wrong() {
    let server = Local::with(options(), Retention { events: 10, age: None }).await;
    let mut client = server.client().await;
    // One append, of which almost all is dropped before anybody could read it.
    server.append(story("a", 300)).await;
    server.append(vec![started("b")]).await;
    let (code, reason) = client.closed().await;
    assert_eq!(code, 4008, "{reason}");
    assert!(reason.ends_with(&server.position(0)), "{reason}");
    let mut back = Client::connect(server.address, &format!("?after={}", server.position(0))).await;
    let events = back.up_to(301).await;
    assert!(matches!(back.opened.follows, Follows::Reset { reason: ResetReason::Expired, from: 292, .. }));
    for event in events {
        let record = envelope(&event.frame);
        let index = record.index.unwrap();
        assert!(
            event.position == 301 || index == event.position,
            "position {} has index {index}",
            event.position
        );
    }
}
