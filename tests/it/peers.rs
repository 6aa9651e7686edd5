//! `serve --peers`: the pages of the servers with the same stream may use each other's servers; pages of other sites may not.

use incident::journal::Retention;
use incident::server::Options;
use incident::token::Scope;
use serde_json::json;

use crate::harness::{Client, Http, Local, READ, Reply, Sse, WRITE, get, incident, options, tokens};

const PEER: &str = "https://b.example:7911";
const ALLOWED: &str = "https://allowed.example";
const EVIL: &str = "https://evil.example";

async fn server(tokens: Vec<(Scope, incident::token::Token)>) -> Local {
    let peers = ["https://b.example:7911/incident", "http://c.example"].map(|peer| peer.parse().unwrap());
    let allow_origins = vec![ALLOWED.parse().unwrap()];
    Local::with(Options { peers: peers.into(), allow_origins, tokens, ..options() }, Retention::default())
        .await
}

fn preflight(server: &Local, path: &str, origin: &str) -> Http {
    Http::new(server.address, "OPTIONS", path)
        .origin(origin)
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "content-type")
}

fn is_shared(reply: &Reply) -> bool {
    let with_session = reply.header("access-control-allow-credentials") == "true";
    with_session && reply.header("access-control-allow-origin") == PEER && reply.header("vary") == "Origin"
}

#[tokio::test]
async fn a_page_learns_the_other_servers_and_may_ask_them_only() {
    let server = server(Vec::new()).await;
    let reply = get(server.address, "/api/servers").await;
    assert_eq!(reply.json(), json!({ "servers": ["https://b.example:7911/incident/", "http://c.example/"] }));
    let policy = get(server.address, "/").await.header("content-security-policy").to_owned();
    let connect = policy.split("; ").find(|part| part.starts_with("connect-src")).unwrap();
    let wanted =
        "connect-src 'self' https://b.example:7911 wss://b.example:7911 http://c.example ws://c.example";
    assert_eq!(connect, wanted);
    assert!(policy.contains("script-src 'self';") && policy.contains("default-src 'none';"), "{policy}");

    let alone = Local::start().await;
    assert_eq!(get(alone.address, "/api/servers").await.json(), json!({ "servers": [] }));
    let policy = get(alone.address, "/").await.header("content-security-policy").to_owned();
    assert!(policy.contains("connect-src 'self';"), "{policy}");
}

#[tokio::test]
async fn the_page_of_a_peer_may_do_what_the_servers_own_page_may() {
    let server = server(Vec::new()).await;
    let asked = preflight(&server, "/api/incidents", PEER).send().await;
    assert_eq!((asked.status, is_shared(&asked)), (204, true), "{asked:?}");
    assert_eq!(asked.header("access-control-allow-methods"), "GET, POST, DELETE");
    assert_eq!(asked.header("access-control-allow-headers"), "content-type");
    let body = "{\"scenario\":\"database-outage\"}";
    let site = |request: Http| {
        request.origin(PEER).header("Sec-Fetch-Site", "cross-site").header("Sec-Fetch-Mode", "cors")
    };
    let triggered = site(Http::trigger(server.address, body)).send().await;
    assert_eq!((triggered.status, is_shared(&triggered)), (202, true), "{triggered:?}");
    for (path, status) in [("/api/incidents", 200), ("/api/session", 200), ("/api/incidents/none", 404)] {
        let reply = site(Http::new(server.address, "GET", path)).send().await;
        assert_eq!((reply.status, is_shared(&reply)), (status, true), "{path}: {reply:?}");
    }
    // Not the page itself, nor what else is there: another server has those.
    for path in ["/", "/login", "/metrics", "/schema.json"] {
        let reply = site(Http::new(server.address, "GET", path)).send().await;
        assert!(!is_shared(&reply), "{path}: {reply:?}");
    }
}

#[tokio::test]
async fn both_streams_are_open_to_the_page_of_a_peer() {
    let server = server(Vec::new()).await;
    let from = [("Origin", PEER), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "websocket")];
    Client::with_headers(server.address, "", &from).await.unwrap();
    let evil = [("Origin", EVIL), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "websocket")];
    assert!(Client::with_headers(server.address, "", &evil).await.is_err());
    // A page reads a long replay with fetch, which sends its session.
    let stream = Sse::connect(server.address, "?after=0", &[("Origin", PEER)]).await;
    let head = stream.head.to_ascii_lowercase();
    for header in [&format!("access-control-allow-origin: {PEER}"), "access-control-allow-credentials: true"]
    {
        assert_eq!(head.matches(&*format!("{header}\r\n")).count(), 1, "{head}");
    }
    let stream = Sse::connect(server.address, "?after=0", &[("Origin", ALLOWED)]).await;
    assert!(!stream.head.to_ascii_lowercase().contains("allow-credentials"), "{}", stream.head);
}

#[tokio::test]
async fn other_pages_may_no_more_than_without_peers() {
    let server = server(Vec::new()).await;
    for (origin, status) in [(ALLOWED, 405), (EVIL, 403), ("null", 403), ("https://b.example", 403)] {
        let asked = preflight(&server, "/api/incidents", origin).send().await;
        assert_eq!(asked.status, status, "{origin}: {asked:?}");
        assert_eq!(asked.header("access-control-allow-credentials"), "", "{origin}");
        assert_eq!(asked.header("access-control-allow-methods"), "", "{origin}");
    }
    let read = Http::new(server.address, "GET", "/api/incidents").origin(ALLOWED).send().await;
    assert_eq!((read.status, read.header("access-control-allow-origin")), (200, ""));
    let read = Http::new(server.address, "GET", "/api/incidents").origin(EVIL).send().await;
    assert_eq!((read.status, read.header("access-control-allow-origin")), (403, ""));
    // An address with the name of a peer is the server's own; another name may be an attacker's.
    let named = |host: &str| Http::new(server.address, "GET", "/api/session").host(Some(host));
    assert_eq!(named("b.example:7911").send().await.status, 200);
    assert_eq!(named("evil.example").send().await.status, 421);
}

#[tokio::test]
async fn a_peers_page_needs_a_token_or_a_session_as_every_other() {
    let server = server(tokens(&[(Scope::Read, READ), (Scope::Write, WRITE)])).await;
    // A preflight has no credentials, and says nothing but what is always so.
    assert_eq!(preflight(&server, "/api/incidents", PEER).send().await.status, 204);
    let refused = Http::new(server.address, "GET", "/api/servers").origin(PEER).send().await;
    assert_eq!((refused.status, is_shared(&refused)), (401, true), "{refused:?}");
    let read = Http::new(server.address, "GET", "/api/servers").origin(PEER).bearer(READ).send().await;
    assert_eq!((read.status, is_shared(&read)), (200, true), "{read:?}");
    let refused =
        Http::trigger(server.address, "{\"scenario\":\"database-outage\"}").origin(PEER).bearer(READ);
    assert_eq!(refused.send().await.status, 403);
}

#[test]
fn peers_are_refused_where_they_make_no_sense() {
    let ran = incident(&["serve", "--port", "0", "--journal", "memory", "--peers", "http://a.example"]).run();
    assert_eq!(ran.status, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("--peers needs a journal that several servers have open"), "{ran:?}");
    for (list, why) in [
        ("http://a.example,https://b.example", "http and with https"),
        ("http://a.example,http://b.example,http://A.example/", "names http://a.example/ twice"),
    ] {
        let ran = incident(&["serve", "--port", "0", "--journal", "memory", "--peers", list]).run();
        assert_eq!(ran.status, Some(2), "{list}: {ran:?}");
        assert!(ran.stderr.contains(why), "{list}: {ran:?}");
    }
    for wrong in ["http://a:0/", "a.example:7911", "ws://a.example/ws", "https://a.example/;x", "https://*"] {
        let ran = incident(&["serve", "--peers", wrong]).run();
        assert_eq!(ran.status, Some(2), "{wrong}: {ran:?}");
        assert!(ran.stderr.contains("expected the address of a server's page"), "{wrong}: {ran:?}");
    }
}
