//! Who may use the server: `Host` and `Origin` of every request, and the headers that every answer carries.

use incident::journal::Retention;
use incident::server::Options;
use tokio_tungstenite::tungstenite::Error;

use crate::harness::{Client, Http, Local, Raw, WRITE, get, options};

const BODY: &str = r#"{"scenario":"database-outage"}"#;

/// What else a page could try. Not every path is there, and none is looked for.
const OTHERS: [(&str, &str); 8] = [
    ("DELETE", "/api/incidents/x"),
    ("POST", "/login"),
    ("POST", "/logout"),
    ("PUT", "/api/incidents"),
    ("GET", "/events"),
    ("GET", "/api/incidents"),
    ("GET", "/api/session"),
    ("GET", "/"),
];

/// The status of a WebSocket handshake with that origin.
async fn handshake(server: &Local, origin: &str) -> u16 {
    shaken(server, &[("Origin", origin)]).await
}

async fn shaken(server: &Local, headers: &[(&str, &str)]) -> u16 {
    match Client::with_headers(server.address, "", headers).await.map_err(|error| *error) {
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
        format!("HTTP://127.0.0.1:{other_port}"),
        format!("http://127.0.0.1:{port}.evil.example"),
        format!("http://127.0.0.1:{port}@evil"),
        format!("http://127.0.0.1:{port} http://evil.example"),
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
        for (method, path) in OTHERS {
            let reply = Http::new(server.address, method, path).origin(&origin).send().await;
            assert_eq!(reply.status, 403, "{method} {path} from {origin:?}");
        }
    }
    assert_eq!(server.journal_head(), 0, "nothing began");
}

/// A page of another origin may be in the browser of somebody who is logged in, and may have got hold of a token.
#[tokio::test]
async fn nor_does_it_with_a_cookie_or_a_token() {
    let server = Local::closed().await;
    let own = format!("http://{}", server.address);
    let login = Http::new(server.address, "POST", "/login").header("Content-Type", "application/json");
    let login = login.body(&format!(r#"{{"token":"{WRITE}"}}"#)).send().await;
    let bearer = format!("Bearer {WRITE}");
    for proof in [("Cookie", login.cookie()), ("Authorization", &bearer)] {
        let with = |method, path| Http::new(server.address, method, path).header(proof.0, proof.1);
        for origin in
            ["null", "http://evil.example", "http://127.0.0.1:1", &own.replace("127.0.0.1", "localhost")]
        {
            let trigger = Http::trigger(server.address, BODY).header(proof.0, proof.1).origin(origin);
            trigger.send().await.problem(403);
            let headers = [proof, ("Origin", origin)];
            assert_eq!(shaken(&server, &headers).await, 403, "/ws from {origin:?}");
            for (method, path) in OTHERS {
                let reply = with(method, path).origin(origin).send().await;
                assert_eq!(reply.status, 403, "{method} {path} from {origin:?} with {}", proof.0);
            }
        }
        assert_eq!(server.journal_head(), 0, "nothing began");
        // It is the origin that was refused, and nothing else.
        assert_eq!(with("GET", "/api/incidents").origin(&own).send().await.status, 200);
        assert_eq!(shaken(&server, &[proof, ("Origin", &own)]).await, 101);
    }
    let trigger = Http::trigger(server.address, BODY).bearer(WRITE).origin(&own).send().await;
    assert_eq!(trigger.status, 202);
}

#[tokio::test]
async fn what_browsers_say_of_their_requests_is_a_second_line() {
    let allow = vec!["https://incidents.example:8443".parse().unwrap()];
    let server = Local::with(Options { allow_origins: allow, ..options() }, Retention::default()).await;
    let own = format!("http://{}", server.address);
    let sent = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        let body = if method == "POST" { BODY } else { "" };
        let request = Http::new(server.address, method, path).header("Content-Type", "application/json");
        let request =
            headers.iter().fold(request.body(body), |request, (name, value)| request.header(name, value));
        request.send().await.status
    };
    for elsewhere in ["cross-site", "same-site", "Same-Origin", "", "something-new"] {
        let site = ("Sec-Fetch-Site", elsewhere);
        for dest in ["document", "empty", "image", "iframe"] {
            let dest = ("Sec-Fetch-Dest", dest);
            for (method, path) in [
                ("POST", "/api/incidents"),
                ("DELETE", "/api/incidents/x"),
                ("GET", "/ws"),
                ("GET", "/events"),
            ] {
                assert_eq!(sent(method, path, &[site, dest]).await, 403, "{method} {path} {site:?} {dest:?}");
                // One of the two is not true.
                let both = [site, dest, ("Origin", &own)];
                assert_eq!(sent(method, path, &both).await, 403, "{method} {path} {both:?}");
            }
            // A link may lead here; nothing here may be fetched or embedded.
            let link = dest.1 == "document";
            for path in ["/", "/api/incidents", "/healthz"] {
                let status = sent("GET", path, &[site, dest]).await;
                assert_eq!(status, if link { 200 } else { 403 }, "{path} {site:?} {dest:?}");
            }
        }
        assert_eq!(sent("GET", "/api/incidents", &[site]).await, 403, "{site:?}");
        assert_eq!(shaken(&server, &[site]).await, 403, "{site:?}");
        let allowed = [site, ("Origin", "https://incidents.example:8443")];
        assert_eq!(shaken(&server, &allowed).await, 101, "{site:?} is what an allowed page is");
    }
    assert_eq!(server.journal_head(), 0, "nothing began");
    for site in ["same-origin", "none"] {
        let site = ("Sec-Fetch-Site", site);
        assert_eq!(sent("GET", "/api/incidents", &[site]).await, 200, "{site:?}");
        assert_eq!(shaken(&server, &[site]).await, 101, "{site:?}");
        assert_eq!(sent("POST", "/api/incidents", &[site]).await, 202, "{site:?}");
        assert_eq!(sent("POST", "/api/incidents", &[site, ("Sec-Fetch-Site", "cross-site")]).await, 403);
    }
}

#[tokio::test]
async fn its_own_pages_and_programs_may() {
    let server = Local::start().await;
    let own = format!("http://{}", server.address);
    assert_eq!(handshake(&server, &own).await, 101);
    assert_eq!(post(&server, &own).await, 202);
    assert_eq!(post(&server, &own.to_uppercase()).await, 202, "case is nothing in an origin");
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
        let mut raw = Raw::connect(server.address).await;
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: {first}\r\n\
             Origin: {second}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            server.address
        );
        raw.send(request.as_bytes()).await;
        let answer = raw.head().await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{first} then {second}: {answer}");
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

/// A proxy may have looked at one of them, and this server at the other.
#[tokio::test]
async fn two_hosts_are_400() {
    let server = Local::start().await;
    let own = server.address.to_string();
    for (first, second) in [(own.as_str(), "evil.example"), ("evil.example", own.as_str()), (&own, &own)] {
        for path in ["/", "/api/incidents", "/healthz", "/ws"] {
            let mut raw = Raw::connect(server.address).await;
            let hosts = format!("Host: {first}\r\nHost: {second}\r\n");
            raw.send(format!("GET {path} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n").as_bytes()).await;
            let answer = raw.head().await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{path}, {first} then {second}: {answer}");
        }
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
    let closed = Local::closed().await;
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
        ("the login page", get(server.address, "/login").await),
        ("401", get(closed.address, "/api/incidents").await),
        (
            "the login page instead",
            Http::new(closed.address, "GET", "/").header("Accept", "text/html").send().await,
        ),
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
