//! A page of an allowed origin can read why it was refused and when to try again: every refusal says that it may.

use incident::journal::Retention;
use incident::server::Options;
use incident::token::Scope;

use crate::harness::{Http, Local, READ, Reply, get, options, tokens};

const ALLOWED: &str = "https://incidents.example:8443";

fn allowing(options: Options) -> Options {
    Options { allow_origins: vec![ALLOWED.parse().unwrap()], ..options }
}

fn is_readable(what: &str, status: u16, reply: &Reply) {
    assert_eq!(reply.status, status, "{what}: {reply:?}");
    assert_eq!(reply.header("access-control-allow-origin"), ALLOWED, "{what}");
    assert_eq!(reply.header("access-control-expose-headers"), "Link, Retry-After", "{what}");
    assert_eq!(reply.header("vary"), "Origin", "{what}");
}

#[tokio::test]
async fn every_refusal_can_be_read_by_a_page_of_an_allowed_origin() {
    let open = Local::with(allowing(Options { max_clients: 1, ..options() }), Retention::default()).await;
    let known = tokens(&[(Scope::Read, READ)]);
    let closed = Local::with(allowing(Options { tokens: known, ..options() }), Retention::default()).await;
    let from = |method, path| Http::new(open.address, method, path).origin(ALLOWED);
    let large = "x".repeat(20_000);
    for (what, status, request) in [
        ("no such incident", 404, from("GET", "/api/incidents/none")),
        ("no such scenario", 404, Http::trigger(open.address, "{\"scenario\":\"none\"}").origin(ALLOWED)),
        ("no body", 415, from("POST", "/api/incidents")),
        ("a body that is too large", 413, Http::trigger(open.address, &large).origin(ALLOWED)),
        ("a position that is none", 400, from("GET", "/events?after=x")),
        ("another method", 405, from("PUT", "/api/incidents")),
        ("no token", 401, Http::new(closed.address, "GET", "/api/incidents").origin(ALLOWED)),
        ("a token that may not", 403, Http::trigger(closed.address, "{}").origin(ALLOWED).bearer(READ)),
    ] {
        is_readable(what, status, &request.send().await);
    }
    let _only = open.client().await;
    is_readable("full", 503, &from("GET", "/events").send().await);
    let other =
        Http::new(open.address, "GET", "/api/incidents/none").origin("https://evil.example").send().await;
    assert_eq!((other.status, other.header("access-control-allow-origin")), (403, ""));
    assert_eq!(get(open.address, "/api/incidents/none").await.header("access-control-allow-origin"), "");
}

/// Such a connection is turned away at the door, before there is a request.
#[tokio::test]
async fn an_answer_at_the_door_can_be_read_too() {
    let server = Local::with(allowing(Options { admit_rate: 2, ..options() }), Retention::default()).await;
    let ask = |origin| Http::new(server.address, "GET", "/healthz").origin(origin);
    let mut last = ask(ALLOWED).send().await;
    while last.status != 429 {
        last = ask(ALLOWED).send().await;
    }
    is_readable("too fast", 429, &last);
    assert_eq!(last.header("retry-after"), "1");
    let event_source = ask(ALLOWED).header("Accept", "text/event-stream").send().await;
    is_readable("an EventSource that is too fast", 200, &event_source);
    let other = ask("https://evil.example").send().await;
    assert_eq!((other.status, other.header("access-control-allow-origin")), (429, ""));
}
