//! The program's own client through a network that cuts: it comes back by itself, and nothing is lost.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::SinkExt;
use incident::client::{ClientError, Follower, Item};
use incident::journal::Retention;
use incident::server::Options;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Local, Proxy, fixture, metrics, ms, options, resolved, soon, started, story};

async fn follow(proxy: &Proxy, after: Option<String>) -> Follower {
    let url = format!("ws://{}/ws", proxy.address).parse().unwrap();
    Follower::connect(url, after, true).await.unwrap()
}

async fn next(follower: &mut Follower) -> Item {
    soon("the follower", follower.next()).await.unwrap().expect("it reconnects")
}

/// Reads on to a position; the positions that came and what each return said of loss.
async fn up_to(follower: &mut Follower, position: u64) -> (Vec<u64>, Vec<Option<u64>>) {
    let (mut seen, mut losses) = (Vec::new(), Vec::new());
    while seen.last() != Some(&position) {
        match next(follower).await {
            Item::Event { envelope, .. } => seen.push(envelope.position().unwrap().n),
            Item::Back { lost, .. } => losses.push(lost),
            Item::Opened(_) | Item::Heartbeat(_) | Item::Lost { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    (seen, losses)
}

#[tokio::test]
async fn a_cut_connection_comes_back_with_nothing_lost_and_nothing_twice() {
    const LENGTH: u64 = 2_000;
    let server = Local::start().await;
    let proxy = Proxy::to(server.address).await;
    let mut follower = follow(&proxy, None).await;
    let story = story("a", LENGTH);
    let mut seen = Vec::new();
    let mut returns = 0;
    for (number, batch) in story.chunks(400).enumerate() {
        let last = *server.append(batch.to_vec()).await.last().unwrap();
        // Cut in the middle of what comes, and at its end.
        let until = if number % 2 == 0 { last - 150 } else { last };
        let (came, losses) = up_to(&mut follower, until).await;
        seen.extend(came);
        assert!(losses.iter().all(|lost| *lost == Some(0)), "{losses:?}");
        returns += losses.len();
        proxy.cut();
    }
    let (came, losses) = up_to(&mut follower, LENGTH).await;
    seen.extend(came);
    returns += losses.len();
    assert_eq!(seen, (1..=LENGTH).collect::<Vec<_>>());
    assert!(returns >= 4, "it was cut and came back: {returns}");
}

#[tokio::test]
async fn what_happened_while_it_was_away_is_replayed_and_counted() {
    let server = Local::start().await;
    let proxy = Proxy::to(server.address).await;
    let mut follower = follow(&proxy, None).await;
    assert!(matches!(next(&mut follower).await, Item::Opened(_)));
    server.append(vec![started("a"), metrics("a", 2)]).await;
    assert_eq!(up_to(&mut follower, 2).await.0, [1, 2]);
    proxy.cut();
    assert!(matches!(next(&mut follower).await, Item::Lost { .. }));
    server.append(vec![metrics("a", 3), metrics("a", 4), resolved("a", 5)]).await;
    match next(&mut follower).await {
        Item::Back { replayed, lost, reset, .. } => assert_eq!((replayed, lost, reset), (3, Some(0), None)),
        other => panic!("instead of the return: {other:?}"),
    }
    assert_eq!(up_to(&mut follower, 5).await.0, [3, 4, 5]);
}

#[tokio::test]
async fn a_client_that_saw_no_event_yet_misses_none_either() {
    let server = Local::start().await;
    server.append(story("before", 3)).await;
    let proxy = Proxy::to(server.address).await;
    let mut follower = follow(&proxy, None).await;
    assert!(matches!(next(&mut follower).await, Item::Opened(_)));
    proxy.cut();
    assert!(matches!(next(&mut follower).await, Item::Lost { .. }));
    // Begun and over while it was away: a newcomer would not be told.
    server.append(story("missed", 4)).await;
    let (seen, losses) = up_to(&mut follower, 7).await;
    assert_eq!((seen, losses), (vec![4, 5, 6, 7], vec![Some(0)]));
}

#[tokio::test]
async fn what_retention_took_meanwhile_is_called_lost() {
    let server = Local::with(options(), Retention { events: 4, age: None }).await;
    let proxy = Proxy::to(server.address).await;
    let mut follower = follow(&proxy, None).await;
    assert!(matches!(next(&mut follower).await, Item::Opened(_)));
    server.append(story("a", 4)).await;
    up_to(&mut follower, 4).await;
    proxy.cut();
    assert!(matches!(next(&mut follower).await, Item::Lost { .. }));
    server.append(story("b", 4)).await;
    server.append(story("c", 4)).await;
    let (seen, losses) = up_to(&mut follower, 12).await;
    assert_eq!((seen, losses), (vec![9, 10, 11, 12], vec![Some(4)]));
}

#[tokio::test]
async fn a_new_log_is_told_as_a_loss_that_nobody_can_count() {
    let (old, new) = (Local::start().await, Local::start().await);
    old.append(story("a", 3)).await;
    new.append(vec![started("b")]).await;
    let mut follower =
        Follower::connect(format!("ws://{}/ws", new.address).parse().unwrap(), Some(old.position(3)), true)
            .await
            .unwrap();
    match next(&mut follower).await {
        Item::Opened(opened) => {
            assert!(matches!(opened.follows, incident::contract::Follows::Reset { from: 1, to: 1, .. }));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(up_to(&mut follower, 1).await.0, [1]);
}

/// A proxy that stops moving the first connection's bytes after a while, without closing it: only the missing
/// heartbeat tells. Later connections begin to move after `delay`.
async fn falls_silent_once(target: SocketAddr, after: Duration, delay: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        for connection in 0.. {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut server = TcpStream::connect(target).await.unwrap();
            if connection == 0 {
                let copying = tokio::io::copy_bidirectional(&mut client, &mut server);
                let _ = tokio::time::timeout(after, copying).await;
                held.push((client, server));
            } else {
                tokio::time::sleep(delay).await;
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
            }
        }
    });
    address
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_and_found_again() {
    let server = Local::with(Options { heartbeat: ms(100), ..options() }, Retention::default()).await;
    let address = falls_silent_once(server.address, ms(150), ms(0)).await;
    let mut follower =
        Follower::connect(format!("ws://{address}/ws").parse().unwrap(), None, true).await.unwrap();
    loop {
        match next(&mut follower).await {
            Item::Lost { reason, .. } => break assert!(reason.contains("heartbeat"), "{reason}"),
            Item::Opened(_) | Item::Heartbeat(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(next(&mut follower).await, Item::Back { lost: Some(0), .. }));
}

#[tokio::test]
async fn a_refusal_for_good_is_not_tried_again() {
    let server = Local::start().await;
    let url = format!("ws://{}/nowhere", server.address).parse().unwrap();
    match Follower::connect(url, None, true).await {
        Err(ClientError::Status { status, .. }) => assert_eq!(status, 404),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("connected to nowhere"),
    }
}

/// A screen is drawn ten times a second while the follower waits: what it waits for must go on all the same.
#[tokio::test]
async fn nothing_starts_over_when_the_wait_is_given_up_in_between() {
    /// As `next`, given up and taken up again every few milliseconds.
    async fn restless(follower: &mut Follower) -> Item {
        let mut ticks = tokio::time::interval(ms(5));
        let waiting = async {
            loop {
                tokio::select! {
                    item = follower.next() => return item.unwrap().expect("it reconnects"),
                    _ = ticks.tick() => {}
                }
            }
        };
        soon("the follower", waiting).await
    }

    let server = Local::with(Options { heartbeat: ms(300), ..options() }, Retention::default()).await;
    server.append(vec![started("a"), metrics("a", 2)]).await;
    // The handshake of later connections takes many of the ticks.
    let address = falls_silent_once(server.address, ms(400), ms(200)).await;
    let mut follower =
        Follower::connect(format!("ws://{address}/ws").parse().unwrap(), None, true).await.unwrap();
    let mut lost = 0;
    loop {
        match restless(&mut follower).await {
            Item::Lost { .. } => lost += 1,
            Item::Back { lost: Some(0), .. } => break,
            Item::Opened(_) | Item::Heartbeat(_) | Item::Event { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(lost, 1, "one loss, one return: no attempt was thrown away");
}

/// A follower of a server that sends what `say` does, once a connection.
async fn of<S>(say: impl Fn(WebSocketStream<TcpStream>) -> S + Send + 'static) -> Follower
where
    S: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            // The first handshake offers a subprotocol that this server does not know.
            let Ok(socket) = tokio_tungstenite::accept_async(tcp).await else { continue };
            tokio::spawn(say(socket));
        }
    });
    Follower::connect(url, None, false).await.unwrap()
}

/// Each greeting was told as a reconnection.
#[tokio::test]
async fn a_server_that_greets_again_and_again_is_told_of_once() {
    let greeting = std::fs::read_to_string(fixture("messages/stream_opened.json")).unwrap();
    let mut follower = of(move |mut socket| {
        let greeting = greeting.clone();
        async move {
            for _ in 0..200 {
                // The client has left after the first handshake.
                let Ok(()) = socket.send(Message::text(greeting.clone())).await else { return };
            }
            let _ = socket.close(None).await;
        }
    })
    .await;
    assert!(matches!(next(&mut follower).await, Item::Opened(_)));
    match next(&mut follower).await {
        Item::NotAnEvent(told) => assert_eq!(told, "a second stream_opened on one connection"),
        other => panic!("{other:?}"),
    }
    match next(&mut follower).await {
        Item::Lost { .. } => {}
        other => panic!("{other:?}"),
    }
}

/// Positions that no stream reaches were counted with.
#[tokio::test]
async fn what_a_server_says_of_its_stream_can_be_read_or_is_no_event() {
    let fixture = |name: &str| std::fs::read_to_string(fixture(&format!("messages/{name}.json"))).unwrap();
    let (greeting, heartbeat) = (fixture("stream_opened"), fixture("heartbeat"));
    let with = |text: &str, change: &dyn Fn(&mut Value)| {
        let mut message: Value = serde_json::from_str(text).unwrap();
        change(&mut message["data"]);
        Message::text(message.to_string())
    };
    let texts = [
        with(&greeting, &|data| data["follows"]["to"] = u64::MAX.into()),
        with(&greeting, &|data| data["heartbeat_ms"] = u64::MAX.into()),
        with(&greeting, &|data| data["head"] = (1_u64 << 53).into()),
        with(&heartbeat, &|data| data["state"] = Value::Null),
        with(&heartbeat, &|data| data["head"] = u64::MAX.into()),
    ];
    let count = texts.len();
    let mut follower = of(move |mut socket| {
        let texts = texts.clone();
        async move {
            for text in texts {
                let Ok(()) = socket.send(text).await else { return };
            }
            let _ = socket.close(None).await;
        }
    })
    .await;
    // A heartbeat that can't be read may be one of many.
    for _ in 0..count - 1 {
        let item = next(&mut follower).await;
        assert!(matches!(item, Item::NotAnEvent(_)), "{item:?}");
    }
    let item = next(&mut follower).await;
    assert!(matches!(item, Item::Lost { .. }), "{item:?}");
}

#[tokio::test]
async fn what_breaks_the_protocol_is_told_in_our_words() {
    let lost = async |mut follower: Follower| match next(&mut follower).await {
        Item::Lost { reason, .. } => reason,
        other => panic!("{other:?}"),
    };
    let long = of(async |mut socket: WebSocketStream<TcpStream>| {
        // The client may be gone before all of it is written.
        let _ = socket.send(Message::text("x".repeat(2 * 1024 * 1024))).await;
    });
    let reason = lost(long.await).await;
    assert!(reason.starts_with("the server sent a message of "), "{reason}");
    assert!(reason.ends_with(" bytes; at most 1048576 are read"), "{reason}");
    let reserved = of(async |mut socket: WebSocketStream<TcpStream>| {
        let _ = socket.get_mut().write_all(&[0xF1, 1, b'x']).await;
        std::future::pending::<()>().await;
    });
    let reason = lost(reserved.await).await;
    assert!(reason.starts_with("what the server sent is against the protocol of WebSocket: "), "{reason}");
    let gone = of(async |socket: WebSocketStream<TcpStream>| drop(socket));
    assert_eq!(lost(gone.await).await, "the connection ended without a closing handshake");
}

/// What a proxy says whose server is down: in HTTP/1.0, as pages of `HAProxy` are that stand in files, or that nothing is there.
#[tokio::test]
async fn a_proxy_without_its_server_is_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let greeting = std::fs::read_to_string(fixture("messages/stream_opened.json")).unwrap();
    tokio::spawn(async move {
        let down = "HTTP/1.0 503 Service Unavailable\r\nContent-Type: text/html\r\n\r\n<h1>503</h1>";
        let none = "HTTP/1.1 404 Not Found\r\nContent-Length: 19\r\n\r\n404 page not found\n";
        let answers = [Some(down), None, Some(down), Some(none), None];
        for answer in answers {
            let (mut tcp, _) = listener.accept().await.unwrap();
            if let Some(answer) = answer {
                let _ = tcp.read(&mut [0; 4096]).await;
                let _ = tcp.write_all(answer.as_bytes()).await;
                continue;
            }
            // The first handshake offers a subprotocol that this server does not know.
            let _ = tokio_tungstenite::accept_async(tcp).await;
            let (tcp, _) = listener.accept().await.unwrap();
            let mut socket = tokio_tungstenite::accept_async(tcp).await.unwrap();
            socket.send(Message::text(greeting.clone())).await.unwrap();
        }
    });
    let connect = || Follower::connect(url.parse().unwrap(), None, true);
    match connect().await {
        Err(ClientError::Status { status: 503, .. }) => {}
        other => panic!("{:?}", other.err()),
    }
    let mut follower = connect().await.unwrap();
    let mut told = Vec::new();
    loop {
        match next(&mut follower).await {
            Item::Lost { reason, .. } => told.push(reason),
            Item::Back { .. } => break,
            _ => {}
        }
    }
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[1].contains("503") && told[2].contains("404"), "{told:?}");
}
