//! Who may use the server: `Host` and `Origin` of every request, and the headers that every answer carries.

use incident::journal::Retention;
use incident::server::Options;
use tokio_tungstenite::tungstenite::Error;

use crate::harness::{Client, Http, Local, get, options};

const BODY: &str = r#"{"scenario":"database-outage"}"#;

/// The status of a WebSocket handshake with that origin.
async fn handshake(server: &Local, origin: &str) -> u16 {
    match Client::with_headers(server.address, "", &[("Origin", origin)]).await.map_err(|error| *error) {
        Ok(_) => 101,
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
    }
}

/// The status of a trigger with that origin.
async fn post(server: &Local, origin: &str) -> u16 {
    Http::trigger(server.address, BODY).origin(origin).send().await.status
}

#[tokio::test]
async fn a_page_from_elsewhere_neither_reads_nor_drives() {
    let server = Local::start().await;
    let port = server.address.port();
    let other_port = if port == 1024 { 1025 } else { port - 1 };
    for origin in [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        String::new(),
        "http://127.0.0.1".to_owned(),
        format!("http://127.0.0.1:{other_port}"),
        format!("http://127.0.0.1:{port}0"),
        "http://127.0.0.1.evil.com".to_owned(),
        format!("http://127.0.0.1.evil.com:{port}"),
        format!("http://localhost:{port}.evil"),
        format!("http://127.0.0.1:{port}.evil.com"),
        format!("http://127.0.0.1:{port}@evil.com"),
        format!("http://evil.com#127.0.0.1:{port}"),
        format!("http://evil.com/127.0.0.1:{port}"),
        format!("https://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("ws://127.0.0.1:{port}"),
        format!("file://127.0.0.1:{port}"),
        format!("127.0.0.1:{port}"),
    ] {
        assert_eq!(handshake(&server, &origin).await, 403, "/ws from {origin:?}");
        let refused = Http::trigger(server.address, BODY).origin(&origin).send().await;
        let detail = refused.problem(403);
        assert!(detail.contains("--allow-origin"), "{detail}");
        let delete = Http::new(server.address, "DELETE", "/api/incidents/x").origin(&origin).send().await;
        assert_eq!(delete.status, 403, "DELETE from {origin:?}");
    }
    assert_eq!(server.journal_head(), 0, "nothing began");
}

#[tokio::test]
async fn its_own_pages_and_programs_may() {
    let server = Local::start().await;
    let own = format!("http://{}", server.address);
    assert_eq!(handshake(&server, &own).await, 101);
    assert_eq!(post(&server, &own).await, 202);
    assert_eq!(Http::trigger(server.address, BODY).send().await.status, 202, "curl sends no Origin");
    let localhost = format!("localhost:{}", server.address.port());
    let page = Http::trigger(server.address, BODY).host(Some(&localhost));
    assert_eq!(page.origin(&format!("http://{localhost}")).send().await.status, 202, "by its other name");
}

#[tokio::test]
async fn two_origins_are_no_way_around() {
    let server = Local::start().await;
    let own = format!("http://{}", server.address);
    for (first, second) in [(own.as_str(), "http://evil.example"), ("http://evil.example", own.as_str())] {
        let reply = Http::trigger(server.address, BODY).origin(first).origin(second).send().await;
        assert!(matches!(reply.status, 400 | 403), "{first} then {second}: {}", reply.status);
    }
}

#[tokio::test]
async fn a_host_that_is_not_this_server_is_421() {
    let server = Local::start().await;
    let port = server.address.port();
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1.evil.com".to_owned(),
        "localhost.evil.com".to_owned(),
        "localhost.".to_owned(),
        "a b".to_owned(),
        String::new(),
        "0x7f.1.evil".to_owned(),
    ] {
        for path in ["/", "/api/incidents", "/ws", "/healthz"] {
            let reply = Http::new(server.address, "GET", path).host(Some(&host)).send().await;
            assert!(matches!(reply.status, 400 | 421), "{host:?} {path}: {}", reply.status);
        }
    }
    let detail = Http::new(server.address, "GET", "/").host(Some("evil.example")).send().await.problem(421);
    assert!(detail.contains("evil.example") && detail.contains("--allow-origin"), "{detail}");
    for host in ["127.0.0.1", "localhost", "LOCALHOST:1", "[::1]:80", "192.168.1.7:7911"] {
        let reply = Http::new(server.address, "GET", "/healthz").host(Some(host)).send().await;
        assert_eq!(reply.status, 200, "{host} is not a name that can be rebound");
    }
}

#[tokio::test]
async fn no_host_is_400() {
    let server = Local::start().await;
    Http::new(server.address, "GET", "/").host(None).send().await.problem(400);
    Http::new(server.address, "GET", "/api/incidents").host(None).send().await.problem(400);
}

#[tokio::test]
async fn an_allowed_origin_may_and_its_host_is_ours() {
    let allow = vec!["https://incidents.example:8443".parse().unwrap()];
    let options = Options { allow_origins: allow, ..options() };
    let server = Local::with(options, Retention::default()).await;
    assert_eq!(handshake(&server, "https://incidents.example:8443").await, 101);
    assert_eq!(post(&server, "https://incidents.example:8443").await, 202);
    assert_eq!(post(&server, "HTTPS://Incidents.Example:8443").await, 202, "case is nothing in an origin");
    for other in
        ["https://incidents.example", "http://incidents.example:8443", "https://x.incidents.example:8443"]
    {
        assert_eq!(post(&server, other).await, 403, "{other}");
        assert_eq!(handshake(&server, other).await, 403, "{other}");
    }
    let page = Http::new(server.address, "GET", "/").host(Some("incidents.example:8443")).send().await;
    assert_eq!(page.status, 200);
}

#[test]
fn what_is_no_origin_can_not_be_allowed() {
    for bad in [
        "",
        "*",
        "null",
        "incidents.example",
        "ftp://x",
        "https://",
        "https://a/b",
        "https://u@a",
        "https://a?b",
    ] {
        assert!(bad.parse::<incident::server::Origin>().is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_fence_the_page() {
    let server = Local::start().await;
    let evil = || Http::new(server.address, "GET", "/").host(Some("evil.example"));
    for (what, reply) in [
        ("the page", get(server.address, "/").await),
        ("an answer", get(server.address, "/api/incidents").await),
        ("text", get(server.address, "/healthz").await),
        ("404", get(server.address, "/nothing").await),
        ("405", Http::new(server.address, "POST", "/").send().await),
        ("403", Http::trigger(server.address, BODY).origin("null").send().await),
        ("415", Http::new(server.address, "POST", "/api/incidents").send().await),
        ("421", evil().send().await),
        ("400", get(server.address, "/ws?after=1").await),
    ] {
        let policy = reply.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';"), "{what}: {policy:?}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("script-src 'self'"), "{what}");
        assert!(!policy.contains("unsafe"), "{what}: {policy:?}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{what}");
        assert_eq!(reply.header("access-control-allow-origin"), "", "{what}: nobody else may read");
    }
}
