//! How many, how slow, and how it ends.

use incident::contract::Follows;
use incident::journal::{Journal, Retention, Sqlite};
use incident::server::Options;
use incident::token::Scope;

use crate::harness::{
    Client, Event, Local, Numbers, READ, Raw, Scratch, Sse, WRITE, action, get, metrics, ms, options,
    request, soon, started, story, tokens,
};

const CLIENTS: &str = "incident_clients{transport=\"sse\"}";

fn closes(code: u16) -> String {
    format!("incident_closes_total{{code=\"{code}\",transport=\"sse\"}}")
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

/// The blocks that came whole before a connection was cut, as events.
fn events_of(body: &str) -> Vec<Event> {
    // The lines of the chunks stand between; those of the events can't be mistaken for them.
    let lines = body.lines().filter_map(|line| line.strip_prefix("data: {").map(|rest| format!("{{{rest}")));
    let whole = lines.filter_map(|text| {
        let envelope: incident::contract::Envelope = serde_json::from_str(&text).ok()?;
        Some(Event { position: envelope.position()?.n, frame: text })
    });
    whole.collect()
}

#[tokio::test]
async fn who_reads_nothing_is_ended_and_resumes_while_others_notice_nothing() {
    // On a busy machine those who read are behind, too.
    let options = Options { write_deadline: ms(2_000), ..options() };
    let server = Local::with(options, Retention::default()).await;
    let mut sleeper = Raw::narrow(server.address).await;
    request(&mut sleeper, "", &[]).await;
    let (mut socket, mut stream) = (server.client().await, Sse::connect(server.address, "", &[]).await);
    let reading = tokio::spawn(async move { tokio::join!(socket.up_to(6_000), stream.up_to(6_000)) });
    Numbers::until(server.address, CLIENTS, 2.0).await;
    overfill(&server).await;
    Numbers::until(server.address, &closes(4008), 1.0).await.are(&[(&closes(1000), 0)]);
    Numbers::until(server.address, CLIENTS, 1.0).await;
    let seen = events_of(&sleeper.rest().await);
    let last = seen.last().expect("what the buffers held").position;
    assert!(last < 5_999, "it did not get everything");
    let id = server.position(last);
    let mut back = Sse::connect(server.address, "", &[("Last-Event-ID", &id)]).await;
    assert_eq!(back.opened.follows, Follows::Resumed { from: last + 1, to: 5_999 });
    server.append(vec![metrics("fill", 6_000)]).await;
    let rest = back.up_to(6_000).await;
    let (by_socket, by_stream) = soon("the others", reading).await.unwrap();
    assert!(by_socket == by_stream, "both have all of it, equal");
    assert!([seen, rest].concat() == by_stream, "no gap, no repeat");
}

/// A client that always has something to get hears all the same that it has to go.
#[tokio::test]
async fn who_is_behind_is_ended_when_its_token_is_withdrawn() {
    let server = Local::closed().await;
    let bearer = format!("Bearer {READ}");
    let mut behind = Sse::over(Raw::narrow(server.address).await, "", &[("Authorization", &bearer)]).await;
    overfill(&server).await;
    assert_eq!(behind.event().await.position, 1);
    server.auth.replace(tokens(&[(Scope::Write, WRITE)]));
    let (read, end) = behind.read_to_end().await;
    assert!(read < 5_000, "only what was on its way: {read}");
    assert_eq!(end.as_deref(), Some(": 1012 your token or session is no longer valid; reconnect"));
}

/// A slow reader is not one that reads nothing.
#[tokio::test]
async fn who_reads_slowly_is_served_read_to_end() {
    let options = Options { write_deadline: ms(400), ..options() };
    let server = Local::with(options, Retention::default()).await;
    let mut slow = Sse::over(Raw::narrow(server.address).await, "", &[]).await;
    let filler = "x".repeat(30_000);
    server.append(vec![started("fill")]).await;
    for index in 2..=60 {
        server.append(vec![action("fill", index, &filler)]).await;
    }
    let began = std::time::Instant::now();
    for position in 1..=60 {
        assert_eq!(slow.event().await.position, position);
        tokio::time::sleep(ms(20)).await;
    }
    assert!(began.elapsed() > ms(1_000), "longer than the deadline, without ever standing still for it");
}

/// The same deadline holds for every answer: nobody keeps a place by not reading.
#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let options = Options { write_deadline: ms(300), ..options() };
    let server = Local::with(options, Retention::default()).await;
    let mut deaf = Raw::narrow(server.address).await;
    let many = "GET /app.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(2_000);
    deaf.send(many.as_bytes()).await;
    // What is sent to a connection that was closed comes back as an error.
    let closed = async {
        while deaf.try_send(b"G").await {
            tokio::time::sleep(ms(20)).await;
        }
    };
    soon("the server to give up", closed).await;
}

#[tokio::test]
async fn a_drain_ends_them_properly_with_the_reason() {
    let server = Local::start().await;
    server.append(story("a", 3)).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(Sse::connect(server.address, "?after=0", &[]).await);
    }
    let draining = tokio::spawn(server.drained());
    for mut client in clients {
        client.up_to(3).await;
        assert_eq!(client.goodbye().await, ": 1012 the server is stopping; reconnect with your position\n");
    }
    soon("the end", draining).await.unwrap();
}

#[tokio::test]
async fn who_never_reads_does_not_hold_up_the_end() {
    let options = Options { write_deadline: ms(60_000), drain: ms(60_000), ..options() };
    let server = Local::with(options, Retention::default()).await;
    let mut stuck = Raw::narrow(server.address).await;
    request(&mut stuck, "", &[]).await;
    Numbers::until(server.address, CLIENTS, 1.0).await;
    overfill(&server).await;
    soon("the server to stop", server.drained()).await;
}

#[tokio::test]
async fn all_clients_share_the_places_that_there_are() {
    let server = Local::with(Options { max_clients: 2, ..options() }, Retention::default()).await;
    let (socket, stream) = (server.client().await, Sse::connect(server.address, "", &[]).await);
    let full = get(server.address, "/events").await;
    assert!(full.header("retry-after").parse::<u32>().unwrap() > 0);
    assert!(full.problem(503).contains("clients"));
    assert!(Client::with_headers(server.address, "", &[]).await.is_err());
    drop(stream);
    let numbers = Numbers::until(server.address, CLIENTS, 0.0).await;
    numbers.are(&[(&closes(1000), 1), ("incident_refusals_total{reason=\"full\"}", 2)]);
    let free = async {
        while get(server.address, "/events?after=x").await.status != 400
            || Client::with_headers(server.address, "", &[]).await.is_err()
        {
            tokio::time::sleep(ms(5)).await;
        }
    };
    soon("its place", free).await;
    drop(socket);
}

#[tokio::test]
async fn who_leaves_is_told_from_whose_connection_broke() {
    let server = Local::start().await;
    let connect = || async {
        let mut raw = Raw::connect(server.address).await;
        request(&mut raw, "", &[]).await;
        assert!(raw.head().await.starts_with("HTTP/1.1 200"));
        raw.chunk().await.unwrap();
        raw
    };
    drop(connect().await);
    Numbers::until(server.address, &closes(1000), 1.0).await.are(&[(&closes(1006), 0)]);
    connect().await.reset();
    Numbers::until(server.address, &closes(1006), 1.0).await.are(&[(&closes(1000), 1)]);
    Numbers::until(server.address, CLIENTS, 0.0).await;
}

/// The stream may follow another request on its connection, and takes nothing with it.
#[tokio::test]
async fn a_kept_connection_becomes_a_stream() {
    let server = Local::start().await;
    server.append(story("a", 3)).await;
    let mut raw = Raw::connect(server.address).await;
    raw.send(b"HEAD /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200"));
    let mut stream = Sse::over(raw, "?after=0", &[]).await;
    stream.up_to(3).await;
    Numbers::until(server.address, CLIENTS, 1.0).await;
}

/// What a client sends behind its request is dropped, as far as that costs little.
#[tokio::test]
async fn a_client_that_sends_without_end_is_ended() {
    let server = Local::start().await;
    let mut raw = Raw::connect(server.address).await;
    request(&mut raw, "", &[]).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200"));
    let megabyte = "x".repeat(1 << 20);
    let sending = async { while raw.try_send(megabyte.as_bytes()).await {} };
    soon("the end", sending).await;
    Numbers::until(server.address, &closes(1008), 1.0).await;
    Numbers::until(server.address, CLIENTS, 0.0).await;
}

/// 1,024 may speak HTTP at once. A stream is no conversation.
#[tokio::test]
async fn a_thousand_streams_leave_room_for_requests() {
    let server = Local::start().await;
    let mut clients = Vec::new();
    for _ in 0..1_100 {
        clients.push(Sse::connect(server.address, "", &[]).await);
    }
    assert_eq!(get(server.address, "/healthz").await.status, 200);
    server.append(story("a", 2)).await;
    for client in &mut clients {
        client.up_to(2).await;
    }
    let delivered = "incident_deliveries_total{transport=\"sse\"}";
    let numbers = Numbers::until(server.address, delivered, 2_200.0).await;
    numbers.are(&[("incident_clients_admitted_total{transport=\"sse\"}", 1_100)]);
}

#[tokio::test]
async fn bytes_and_lag_are_counted() {
    let server = Local::start().await;
    let mut client = Sse::connect(server.address, "", &[]).await;
    server.append(story("a", 50)).await;
    let mut bytes = 0;
    for _ in 0..50 {
        let block = client.block().await.unwrap().text.len();
        // Each event is a chunk: its length in hex and two line breaks stand around it.
        bytes += (block + format!("{block:x}").len() + 4) as u64;
    }
    let counted = "incident_deliveries_total{transport=\"sse\"}";
    Numbers::until(server.address, counted, 50.0).await.are(&[
        ("incident_delivered_bytes_total{transport=\"sse\"}", bytes),
        ("incident_client_lag_events", 0),
        ("incident_deliveries_total{transport=\"ws\"}", 0),
    ]);
}

#[tokio::test]
async fn who_is_overtaken_by_retention_is_told_and_sent_nothing_wrong() {
    let server = Local::with(options(), Retention { events: 10, age: None }).await;
    let mut client = Sse::connect(server.address, "", &[]).await;
    // One append, of which almost all is dropped before anybody could read it.
    server.append(story("a", 300)).await;
    server.append(vec![started("b")]).await;
    let goodbye = client.goodbye().await;
    assert_eq!(goodbye, format!(": 4008 retention dropped the events after {}\n", server.position(0)));
    let id = client.begins_after.clone();
    let mut back = Sse::connect(server.address, "", &[("Last-Event-ID", &id)]).await;
    assert!(matches!(back.opened.follows, Follows::Reset { from: 292, .. }), "{:?}", back.opened);
    assert_eq!(back.up_to(301).await.len(), 10);
}

/// Somebody with a shell changed a row: what is served from the file is not what was told.
#[tokio::test]
async fn a_journal_that_can_not_be_read_is_told() {
    const LENGTH: u64 = 17_000;
    let folder = Scratch::new();
    let file = folder.path().join("journal.db");
    let server =
        Local::over(options(), Journal::new(Sqlite::open(&file, Retention::default()).unwrap())).await;
    server.append(story("long", LENGTH)).await;
    // Read by the hub, so that who does not need the row is served.
    server.client_after(LENGTH - 1).await.up_to(LENGTH).await;
    let shell = rusqlite::Connection::open(&file).unwrap();
    assert_eq!(shell.execute("UPDATE events SET data = '{}' WHERE position = 9", []).unwrap(), 1);
    let mut stream = Sse::connect(server.address, "?after=0", &[]).await;
    assert_eq!(stream.up_to(8).await.len(), 8, "what is sound");
    assert_eq!(stream.goodbye().await, ": 1011 the server cannot read its journal\n");
    let (code, _) = Client::connect(server.address, "?after=0").await.closed().await;
    assert_eq!(code, 1011);
    server.client_after(LENGTH - 1).await.up_to(LENGTH).await;
    let ws = closes(1011).replace("sse", "ws");
    Numbers::until(server.address, &ws, 1.0).await.are(&[(&closes(1011), 1)]);
}
