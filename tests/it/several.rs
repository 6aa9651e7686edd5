//! Clients that know several servers of one stream: they go to the next when one is away or refuses to serve, with their position,
//! and say where they are.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::SinkExt;
use incident::client::{ClientError, Endpoints, Follower, Item};
use incident::contract::StreamId;
use incident::journal::{Journal, Memory, Retention};
use incident::server::Options;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::harness::{Local, Ran, Serving, incident, metrics, ms, options, resolved, soon, started};

/// Servers over one journal. (One of them plays; here a test appends.)
async fn servers(number: usize) -> Vec<Local> {
    let journal = Journal::new(Memory::new(StreamId::fresh(), Retention::default()));
    let mut all = Vec::new();
    for _ in 0..number {
        all.push(Local::over(options(), journal.clone()).await);
    }
    all
}

fn list(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(|address| format!("ws://{address}/ws")).collect::<Vec<_>>().join(",")
}

fn endpoints(addresses: &[SocketAddr]) -> Endpoints {
    list(addresses).parse().unwrap()
}

async fn next(follower: &mut Follower) -> Item {
    soon("the follower", follower.next()).await.unwrap().expect("it reconnects")
}

/// An address at which nothing listens.
async fn nothing() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A server that answers every connection in the same way, and how often it was asked.
async fn stub<F: Future<Output = ()> + Send + 'static>(
    answer: impl Fn(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(answer(connection));
        }
    });
    (address, asked)
}

/// A server that refuses every request, because it is not ready.
async fn unready() -> (SocketAddr, Arc<AtomicUsize>) {
    stub(|connection| respond(connection, "503 Service Unavailable", r#"{"detail":"the stream is paused"}"#))
        .await
}

async fn respond(mut connection: TcpStream, status: &str, body: &str) {
    let mut head = vec![0; 16_384];
    let _ = connection.read(&mut head).await;
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = connection.write_all(head.as_bytes()).await;
    let _ = connection.shutdown().await;
}

#[tokio::test]
async fn a_follower_goes_on_from_the_next_server_with_its_position() {
    let mut all = servers(2).await;
    let (a, b) = (all.remove(0), all.remove(0));
    let mut follower = Follower::connect(endpoints(&[a.address, b.address]), None, true).await.unwrap();
    assert!(matches!(next(&mut follower).await, Item::Opened(_)));
    a.append(vec![started("x"), metrics("x", 2)]).await;
    for position in 1..=2 {
        let Item::Event { envelope, .. } = next(&mut follower).await else { panic!("an event") };
        assert_eq!(envelope.position().unwrap().n, position);
    }
    let place = |server: &Local| format!("ws://{}/ws", server.address);
    let at_b = place(&b);
    a.drained().await;
    match next(&mut follower).await {
        Item::Lost { next, .. } => assert_eq!(next, at_b),
        other => panic!("instead of the loss: {other:?}"),
    }
    b.append(vec![metrics("x", 3), resolved("x", 4)]).await;
    match next(&mut follower).await {
        Item::Back { server, replayed, lost, reset, .. } => {
            assert_eq!((server, replayed, lost, reset), (at_b, 2, Some(0), None));
        }
        other => panic!("instead of the return: {other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_is_full_away_or_closes_with_1013_is_left_for_the_next() {
    let journal = Journal::new(Memory::new(StreamId::fresh(), Retention::default()));
    let full = Local::over(Options { max_clients: 1, ..options() }, journal.clone()).await;
    let _only = full.client().await;
    let (closes, _) = stub(|connection| async {
        let Ok(mut socket) = tokio_tungstenite::accept_async(connection).await else { return };
        let frame = CloseFrame { code: 1013.into(), reason: "try again later".into() };
        let _ = socket.send(Message::Close(Some(frame))).await;
    })
    .await;
    let b = Local::over(options(), journal).await;
    let all = endpoints(&[nothing().await, full.address, closes, b.address]);
    let mut follower = Follower::connect(all, Some("0".to_owned()), true).await.unwrap();
    // The one that closes has opened the connection.
    match next(&mut follower).await {
        Item::Lost { reason, next, .. } => {
            assert_eq!((&*reason, next), ("1013 try again later", format!("ws://{}/ws", b.address)));
        }
        other => panic!("instead of the loss: {other:?}"),
    }
    assert!(matches!(next(&mut follower).await, Item::Opened(_)));
}

#[tokio::test]
async fn a_refusal_that_holds_for_all_servers_ends_the_search() {
    let (closed, open) = (Local::closed().await, Local::start().await);
    match Follower::connect(endpoints(&[closed.address, open.address]), None, true).await {
        Err(ClientError::Status { status: 401, .. }) => {}
        other => panic!("{:?}", other.map(drop)),
    }
    let gone = [nothing().await, nothing().await];
    match Follower::connect(endpoints(&gone), None, true).await {
        Err(error @ ClientError::NoServer(_)) => {
            let said = error.to_string();
            let [a, b] = gone.map(|address| format!("ws://{address}/ws (connection refused)"));
            assert_eq!(said, format!("none of the 2 servers can be used: {a}; {b}"));
        }
        other => panic!("{:?}", other.map(drop)),
    }
}

/// A command that knows these servers.
async fn run(args: &[&str], servers: &str) -> Ran {
    let run = incident(args).env("INCIDENT_URL", servers);
    tokio::task::spawn_blocking(|| run.run()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_asks_the_next_server_when_one_is_away_or_not_ready() {
    let server = Serving::with(&[]);
    let (unready, asked) = unready().await;
    let servers = list(&[nothing().await, unready, server.address()]);
    let started =
        ["publish", "started", "--subject", "pay-1", "--title", "Checkout fails", "--retry-for", "200ms"];
    for (args, wanted) in [
        (&["health", "--ready"][..], "ready\n"),
        (&["list"], "database-outage"),
        (&started, ""),
        (&["list", "--running"], "pay-1"),
        (&["watch", "--no-follow", "--after", "0"], "Checkout fails"),
        (&["watch", "--incident", "pay-1", "--no-follow"], "Checkout fails"),
        (&["report", "pay-1"], "Checkout fails"),
        (&["cancel", "pay-1"], ""),
        (&["trigger", "database-outage", "--no-wait"], "database-outage-"),
        (&["trigger", "database-outage", "--speed", "1000"], "resolved"),
    ] {
        let before = asked.load(Ordering::SeqCst);
        let ran = run(args, &servers).await;
        assert_eq!(ran.status, Some(0), "{args:?}: {ran:?}");
        assert!(ran.stdout.contains(wanted), "{args:?}: {ran:?}");
        assert_eq!(asked.load(Ordering::SeqCst), before + 1, "{args:?} asks a server that is away once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn validate_spreads_its_clients_over_the_servers_that_answer() {
    let mut all = servers(2).await;
    let (a, b) = (all.remove(0), all.remove(0));
    a.append(vec![started("x"), metrics("x", 2)]).await;
    let servers = list(&[nothing().await, a.address, b.address]);
    let args = ["validate", "--url", &servers, "--for", "500ms", "--clients", "4"];
    let ran = run(&args, "").await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    // Of the four clients and one that reads nothing, some were with each.
    let metrics = crate::harness::get(b.address, "/metrics").await.body;
    let admitted = "incident_clients_admitted_total{transport=\"ws\"} ";
    let admitted = metrics.lines().find_map(|line| line.strip_prefix(admitted)).unwrap();
    assert!(admitted.parse::<u32>().unwrap() >= 2, "b had {admitted} clients");
    let ran =
        run(&["validate", "--sse", &format!("{},{}", nothing().await, a.address), "--for", "500ms"], "")
            .await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
}

/// A server that takes connections and says nothing makes nothing late and nothing missing of the one that is judged.
#[tokio::test(flavor = "multi_thread")]
async fn validate_leaves_out_a_server_that_never_answers_and_names_it() {
    let server = Serving::with(&[]);
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let servers = list(&[server.address(), silent.local_addr().unwrap()]);
    let drill = ["trigger", "database-outage", "--speed", "20", "--no-wait"];
    assert_eq!(run(&drill, &list(&[server.address()])).await.status, Some(0));
    let ran = run(&["validate", "--url", &servers, "--for", "500ms", "--clients", "3"], "").await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let named = format!("not checked: ws://{}/ws did not answer", silent.local_addr().unwrap());
    assert_eq!(ran.stdout.matches(&named).count(), 1, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_no_server_can_be_used_one_short_text_names_each_with_its_reason() {
    let (unready, _) = unready().await;
    let gone = nothing().await;
    let servers = list(&[gone, unready]);
    let started = ["publish", "started", "--subject", "pay-1", "--title", "T", "--retry-for", "200ms"];
    let no_wait = ["trigger", "database-outage", "--no-wait"];
    for args in [&["list"][..], &["watch"], &["report", "x-1"], &["cancel", "x-1"], &started, &no_wait] {
        let ran = run(args, &servers).await;
        assert_eq!(ran.status, Some(3), "{args:?}: {ran:?}");
        let said = ran.stderr.lines().find(|line| line.contains("none of the 2 servers")).unwrap_or_default();
        for part in [
            &format!("{gone}"),
            "connection refused",
            &format!("{unready}"),
            "HTTP 503: the stream is paused",
        ] {
            assert!(said.contains(part), "{args:?}: {part} is not in {ran:?}");
        }
    }
}

/// Everything behind the start of a long incident is read to end it, or to report on it: asking the next one would begin anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_ready_is_given_the_time_that_an_answer_takes() {
    let (slow, asked) = stub(|mut connection| async move {
        let mut head = vec![0; 16_384];
        let length = connection.read(&mut head).await.unwrap_or_default();
        let (kind, body) = match &head[..length] {
            head if head.starts_with(b"GET /readyz") => ("text/plain", "ready\n"),
            head => {
                tokio::time::sleep(ms(6_000)).await;
                let is_report = head.starts_with(b"GET ");
                let ended = r#"{"id":"x-1","outcome":"cancelled","cancelled_now":true}"#;
                if is_report { ("text/markdown", "# Report\n") } else { ("application/json", ended) }
            }
        };
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n");
        let _ = connection.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).await;
    })
    .await;
    let (other, others) = unready().await;
    let servers = list(&[slow, other]);
    let (cancelled, report) =
        tokio::join!(run(&["cancel", "x-1"], &servers), run(&["report", "x-1"], &servers));
    assert_eq!((cancelled.status, report.status), (Some(0), Some(0)), "{cancelled:?} {report:?}");
    assert!(
        cancelled.stderr.contains("x-1 is cancelled") && report.stdout.contains("# Report"),
        "{report:?}"
    );
    assert_eq!(asked.load(Ordering::SeqCst), 4, "each whether it is ready, and once for the answer");
    assert_eq!(others.load(Ordering::SeqCst), 0);
}

/// The incident may have begun although no answer came: then another server must not begin a second one.
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_never_started_twice() {
    let (breaks, asked) = stub(|mut connection| async move {
        let mut head = vec![0; 16_384];
        let length = connection.read(&mut head).await.unwrap_or_default();
        if head[..length].starts_with(b"GET /readyz") {
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nready\n").await;
            let _ = connection.shutdown().await;
        }
    })
    .await;
    let server = Serving::with(&[]);
    let ran = run(&["trigger", "database-outage", "--no-wait"], &list(&[breaks, server.address()])).await;
    assert_eq!(ran.status, Some(3), "{ran:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 2, "whether it is ready, and to start");
    let ran = run(&["list", "--running"], &list(&[server.address()])).await;
    assert_eq!((ran.status, ran.stdout.lines().count()), (Some(0), 0), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_address_in_a_list_is_named_alone() {
    let ran = run(&["watch", "--url", "127.0.0.1:1,http://user:pass@127.0.0.1:2"], "").await;
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("has a user name or a password") && !ran.stderr.contains("pass@"), "{ran:?}");
}
