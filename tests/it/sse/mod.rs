//! `GET /events`: the stream as Server-Sent Events, byte for byte what a WebSocket has, under the same rules.

pub mod back;
mod limits;

use incident::contract::{Follows, Message, ResetReason, ServerState};
use incident::journal::{Record, Retention};
use incident::server::Options;

use crate::harness::{
    Block, Http, Local, Raw, Sse, action, envelope, get, metrics, ms, options, request, resolved, started,
    story,
};

async fn blocks(client: &mut Sse, count: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    while blocks.len() < count {
        blocks.push(client.block().await.unwrap());
    }
    blocks
}

#[tokio::test]
async fn every_event_is_its_id_its_type_and_the_websockets_text() {
    let server = Local::start().await;
    let mut socket = server.client().await;
    let mut stream = Sse::connect(server.address, "", &[]).await;
    assert!((1_000..=3_000).contains(&stream.retry), "{}", stream.retry);
    assert_eq!(stream.begins_after, server.position(0));
    assert_eq!(stream.opened.follows, Follows::Started { from: 1, to: 0 });
    // Larger than what is handed over at once.
    let long = "x".repeat(60_000);
    let quoted = "Ünïcode \"quoted\" \\ / \u{1f525}\r\n\ndata: none";
    server.append(vec![started("a"), action("a", 2, quoted), action("a", 3, &long)]).await;
    server.append(vec![metrics("a", 4), resolved("a", 5)]).await;
    let frames = socket.up_to(5).await;
    let kinds = ["incident_started", "agent_action", "agent_action", "system_metrics", "incident_resolved"];
    for ((block, frame), kind) in blocks(&mut stream, 5).await.into_iter().zip(frames).zip(kinds) {
        let position = server.position(frame.position);
        assert_eq!(block.text, format!("id: {position}\nevent: {kind}\ndata: {}\n\n", frame.frame));
    }
}

#[tokio::test]
async fn the_answer_is_a_stream_that_nobody_keeps_or_collects() {
    let server = Local::start().await;
    let stream = Sse::connect(server.address, "", &[]).await;
    for line in [
        "content-type: text/event-stream\r\n",
        "cache-control: no-store, no-transform\r\n",
        "x-accel-buffering: no\r\n",
        "x-content-type-options: nosniff\r\n",
    ] {
        assert!(stream.head.contains(line), "{line:?} is not in {}", stream.head);
    }
    assert!(!stream.head.contains("access-control"), "{}", stream.head);
}

#[tokio::test]
async fn data_with_line_breaks_is_put_together_again() {
    let server = Local::start().await;
    let first = started("a");
    let value: serde_json::Value = serde_json::from_str(first.data.get()).unwrap();
    let spread = serde_json::to_string_pretty(&value).unwrap();
    let spread = spread.replace("{\n", "{\r\n").replace("[\n", "[\r").replace("}\n", "}\n\n");
    let data = serde_json::value::RawValue::from_string(spread).unwrap();
    server.append(vec![Record { data, ..first }]).await;
    let mut stream = Sse::connect(server.address, "?after=0", &[]).await;
    let block = stream.block().await.unwrap();
    assert!(block.text.lines().count() > 10, "{}", block.text);
    assert!(block.text.trim_end().lines().all(|line| line.starts_with(['i', 'e', 'd'])), "{}", block.text);
    let (joined, plain) = (envelope(&block.data.unwrap()), started("a"));
    let Ok(Message::IncidentStarted(read)) = joined.message() else { panic!("{joined:?}") };
    let Ok(Message::IncidentStarted(meant)) = Message::parse("incident_started", &plain.data) else {
        panic!()
    };
    assert_eq!(read, meant);
}

#[tokio::test]
async fn cut_anywhere_it_goes_on_without_a_gap_or_a_repeat() {
    const LENGTH: u64 = 300;
    let server = Local::start().await;
    server.append(story("a", LENGTH)).await;
    let whole = blocks(&mut Sse::connect(server.address, "?after=0", &[]).await, LENGTH as usize).await;
    for cut in [0, 1, 17, 299] {
        let mut first = Sse::connect(server.address, "?after=0", &[]).await;
        let mut seen = blocks(&mut first, cut).await;
        // As a browser does it: whatever the id was, if an event came or not.
        let last = seen.last().map_or(first.begins_after.clone(), |last| last.id.clone().unwrap());
        drop(first);
        let mut again = Sse::connect(server.address, "?after=0", &[("Last-Event-ID", &last)]).await;
        assert_eq!(again.opened.follows, Follows::Resumed { from: cut as u64 + 1, to: LENGTH });
        seen.extend(blocks(&mut again, LENGTH as usize - cut).await);
        assert!(seen == whole, "cut behind {cut}");
    }
}

/// A browser that was cut off before anything came has the position that its first connection began with.
#[tokio::test]
async fn who_saw_nothing_yet_misses_nothing_either() {
    let server = Local::start().await;
    server.append(story("before", 4)).await;
    let newcomer = Sse::connect(server.address, "", &[]).await;
    assert_eq!(newcomer.begins_after, server.position(4));
    let id = newcomer.begins_after.clone();
    drop(newcomer);
    server.append(story("meanwhile", 3)).await;
    // As a client may ask that has no id yet.
    let empty = Sse::connect(server.address, "", &[("Last-Event-ID", "")]).await;
    assert_eq!(empty.begins_after, server.position(7));
    let mut back = Sse::connect(server.address, "", &[("Last-Event-ID", &id)]).await;
    let seen: Vec<u64> = back.up_to(7).await.into_iter().map(|event| event.position).collect();
    assert_eq!(seen, [5, 6, 7]);
}

#[tokio::test]
async fn what_can_not_be_gone_on_from_is_reset_and_says_why() {
    let server = Local::with(options(), Retention { events: 5, age: None }).await;
    server.append(story("a", 5)).await;
    server.append(story("b", 5)).await;
    let cases = [
        ("01ELSEWHERE00000/2".to_owned(), ResetReason::OtherStream, 11, 10),
        (server.position(99), ResetReason::Ahead, 11, 10),
        (server.position(4), ResetReason::Expired, 6, 10),
    ];
    for (id, reason, from, to) in cases {
        let stream = Sse::connect(server.address, "", &[("Last-Event-ID", &id)]).await;
        assert_eq!(stream.opened.follows, Follows::Reset { reason, from, to }, "{id}");
        assert_eq!(stream.begins_after, server.position(from - 1), "told once, not at every return");
    }
}

#[tokio::test]
async fn what_was_seen_last_counts_more_than_where_it_began() {
    let server = Local::start().await;
    server.append(story("a", 10)).await;
    let (early, late) = (server.position(2), server.position(7));
    let by_query = Sse::connect(server.address, &format!("?after={early}"), &[]).await;
    assert_eq!(by_query.opened.follows, Follows::Resumed { from: 3, to: 10 });
    let both = Sse::connect(server.address, &format!("?after={early}"), &[("Last-Event-ID", &late)]).await;
    assert_eq!(both.opened.follows, Follows::Resumed { from: 8, to: 10 });
    let all = Sse::connect(server.address, "", &[("Last-Event-ID", "0")]).await;
    assert_eq!(all.opened.follows, Follows::Started { from: 1, to: 10 });
}

#[tokio::test]
async fn what_is_no_position_is_400_in_the_query_and_in_the_header() {
    let server = Local::start().await;
    let good = server.position(0);
    let ask = |path: &str| Http::new(server.address, "GET", path);
    for bad in ["17", "-1", " 1", "x", "/3", "01/02/03", "01/9007199254740992", "\u{fc}/1"] {
        let detail = ask("/events").header("Last-Event-ID", bad).send().await.problem(400);
        assert!(detail.starts_with("Last-Event-ID: ") && detail.contains("position"), "{bad}: {detail}");
        ask(&format!("/events?after={good}")).header("Last-Event-ID", bad).send().await.problem(400);
    }
    for bad in ["?after=17", "?after=", "?afer=0", "?after=0&after=0"] {
        assert!(ask(&format!("/events{bad}")).send().await.problem(400).contains("after"), "{bad}");
        ask(&format!("/events{bad}")).header("Last-Event-ID", &good).send().await.problem(400);
    }
    let twice = ask("/events").header("Last-Event-ID", &good).header("Last-Event-ID", &good);
    twice.send().await.problem(400);
}

#[tokio::test]
async fn a_heartbeat_names_the_head_and_moves_no_id() {
    let server = Local::with(Options { heartbeat: ms(100), ..options() }, Retention::default()).await;
    let mut stream = Sse::connect(server.address, "", &[]).await;
    server.append(story("a", 3)).await;
    stream.up_to(3).await;
    let beat = stream.block().await.unwrap();
    assert_eq!((beat.event.as_deref(), &beat.id), (Some("heartbeat"), &None), "{}", beat.text);
    let Ok(Message::Heartbeat(said)) = envelope(&beat.data.unwrap()).message() else {
        panic!("{}", beat.text)
    };
    assert_eq!((said.head, said.state), (3, ServerState::Playing));
}

/// The ring keeps 16,384 frames; this one begins before it.
#[tokio::test]
async fn far_behind_it_pages_from_the_journal_without_a_gap() {
    const LENGTH: u64 = 18_000;
    let server = Local::start().await;
    server.append(story("long", LENGTH)).await;
    let mut stream = Sse::connect(server.address, "?after=0", &[]).await;
    let seen: Vec<u64> = stream.up_to(LENGTH).await.into_iter().map(|event| event.position).collect();
    assert_eq!(seen, (1..=LENGTH).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_from_elsewhere_does_not_read_it_and_an_allowed_one_does() {
    let allowed = "https://incidents.example:8443";
    let options = Options { allow_origins: vec![allowed.parse().unwrap()], ..options() };
    let server = Local::with(options, Retention::default()).await;
    for origin in ["https://evil.example", "null"] {
        let asked = Http::new(server.address, "GET", "/events").origin(origin).send().await;
        assert_eq!(asked.header("access-control-allow-origin"), "");
        asked.problem(403);
    }
    Http::new(server.address, "GET", "/events").host(Some("evil.example")).send().await.problem(421);
    let stream = Sse::connect(server.address, "", &[("Origin", allowed)]).await;
    assert!(stream.head.contains(&format!("access-control-allow-origin: {allowed}\r\n")), "{}", stream.head);
    assert!(stream.head.contains("vary: Origin\r\n"), "{}", stream.head);
}

#[tokio::test]
async fn head_tells_what_get_would_and_other_methods_are_405() {
    let server = Local::with(Options { max_clients: 1, ..options() }, Retention::default()).await;
    let head = || Http::new(server.address, "HEAD", "/events");
    for _ in 0..3 {
        let head = head().send().await;
        assert_eq!((head.status, head.header("content-type")), (200, "text/event-stream"));
        assert_eq!((head.header("content-length"), head.body.as_str()), ("", ""));
    }
    assert_eq!(head().header("Last-Event-ID", "x").send().await.status, 400);
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        Http::new(server.address, method, "/events").send().await.problem(405);
    }
    get(server.address, "/events/").await.problem(404);
    // None of them took the one place.
    let _client = Sse::connect(server.address, "", &[]).await;
}

#[tokio::test]
async fn http_1_0_reads_until_the_end() {
    let server = Local::start().await;
    server.append(story("a", 3)).await;
    let mut raw = Raw::connect(server.address).await;
    raw.send(b"GET /events?after=0 HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\n\r\n").await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.0 200") && !head.contains("chunked"), "{head}");
    assert!(!head.to_lowercase().contains("keep-alive"), "the connection carries no further request: {head}");
    server.drained().await;
    let body = raw.rest().await;
    assert_eq!(body.matches("\nid: ").count(), 4, "{body}");
}

/// A request behind the stream's on the same connection is not answered: the stream is the last thing on it.
#[tokio::test]
async fn nothing_comes_behind_the_stream_on_its_connection() {
    let server = Local::start().await;
    let mut raw = Raw::connect(server.address).await;
    request(&mut raw, "", &[]).await;
    raw.send(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    assert!(raw.head().await.contains("connection: close\r\n"));
    server.drained().await;
    let rest = raw.rest().await;
    assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
}
