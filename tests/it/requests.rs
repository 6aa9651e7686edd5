//! What HTTP and WebSocket ask of a server beyond the usual: bodies that break off, other versions, lists, absolute targets.

use crate::harness::{Http, Local, Raw, started};

/// Sends a request as it is, and gives the whole answer.
async fn answer(server: &Local, request: &str) -> String {
    let mut raw = Raw::connect(server.address).await;
    raw.send(request.as_bytes()).await;
    raw.rest().await
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_called_too_large() {
    let server = Local::start().await;
    let head = "POST /api/incidents HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n";
    let broken = answer(&server, &format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n")).await;
    assert!(broken.starts_with("HTTP/1.1 400 ") && broken.contains("has not arrived as a whole"), "{broken}");
    let large = "x".repeat(16 * 1024 + 1);
    let length = large.len();
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{large}\r\n0\r\n\r\n");
    let large = answer(&server, &chunked).await;
    assert!(large.starts_with("HTTP/1.1 413 ") && large.contains("larger than 16384 bytes"), "{large}");
    let mut raw = Raw::connect(server.address).await;
    raw.send(format!("{head}Content-Length: 100\r\n\r\n{{\"scen").as_bytes()).await;
    raw.shutdown().await;
    let cut = raw.rest().await;
    assert!(cut.is_empty() || cut.starts_with("HTTP/1.1 400 "), "{cut}");
}

/// Which parameter, what is wrong with it, and what is allowed: in the words of the project, not of a library.
#[tokio::test]
async fn a_wrong_parameter_is_named_with_what_it_may_be() {
    let server = Local::start().await;
    server.append(vec![started("a")]).await;
    let number = "must be the number in the position of an event, a whole number from 0, as in ?after=17";
    let position = "must be a position STREAM/N with N below 2^53, as in 01J9ZC3V7Q4M2XKD/17, or 0 for every";
    let utf8 = "the name in the path is not UTF-8";
    let events = |query: &str| format!("/api/incidents/a/events?{query}");
    let cases = [
        ("GET", events("after=x"), "after in the query ".to_owned() + number),
        ("GET", events("after=-1"), "after in the query ".to_owned() + number),
        ("GET", events("after="), "after in the query ".to_owned() + number),
        ("GET", events("after=99999999999999999999"), number.to_owned()),
        ("GET", events("aftre=1"), "the query has no parameter \"aftre\": did you mean after?".to_owned()),
        (
            "GET",
            events("limit=1"),
            "the query has no parameter \"limit\": the only one is after: the number".to_owned(),
        ),
        (
            "GET",
            events("after=1&after=2"),
            "after is in the query more than once; send it once: the number".to_owned(),
        ),
        (
            "GET",
            events(&format!("after={}", "9".repeat(5_000))),
            "after in the query must be the number".to_owned(),
        ),
        ("GET", "/events?after=x".to_owned(), "after in the query ".to_owned() + position),
        ("GET", "/ws?after=x/y".to_owned(), "after in the query ".to_owned() + position),
        (
            "GET",
            "/ws?from=0".to_owned(),
            "the query has no parameter \"from\": the only one is after".to_owned(),
        ),
        (
            "POST",
            "/api/events?partial=maybe".to_owned(),
            "partial in the query must be true or false".to_owned(),
        ),
        ("POST", "/api/events?partial".to_owned(), "partial in the query must be true or false".to_owned()),
        ("POST", "/api/events?limit=1".to_owned(), "the only one is partial: true or false".to_owned()),
        ("GET", "/api/incidents/%ff".to_owned(), utf8.to_owned()),
        ("GET", "/api/incidents/%ff/events".to_owned(), utf8.to_owned()),
        ("GET", "/api/incidents/%ff/alerts".to_owned(), utf8.to_owned()),
        ("GET", "/api/incidents/%ff/report.md".to_owned(), utf8.to_owned()),
        ("DELETE", "/api/incidents/%ff".to_owned(), utf8.to_owned()),
        ("GET", "/problems/%ff".to_owned(), utf8.to_owned()),
    ];
    for (method, target, wanted) in cases {
        let detail = Http::new(server.address, method, &target).send().await.problem(400);
        assert!(detail.contains(&wanted), "{method} {target}: {detail}");
    }
    for path in ["alertmanager/%ff", "grafana/%ff", "pagerduty/%ff/v2/enqueue"] {
        let reply = Http::new(server.address, "POST", &format!("/hooks/{path}")).body("{}").send().await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.body);
        assert!(!reply.body.contains("Invalid URL"), "{path}: {}", reply.body);
    }
}

/// What is asked, before a body of eight megabytes.
fn large(line: &str, content_type: &str, more: &str) -> String {
    format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n{more}Content-Length: {LARGE}\r\n\r\n"
    )
}

const LARGE: usize = 8 * 1024 * 1024;

/// A client that sends all of its body before it reads would have a broken pipe instead of the answer, and would try for ever.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_a_large_body_to_its_end_gets_the_refusal_of_it() {
    let (json, events) = ("application/json", "application/cloudevents+json");
    let open = Local::start().await;
    let closed = Local::closed().await;
    for (server, line, content_type, status) in [
        (&open, "POST /api/events", events, 413),
        (&open, "POST /api/events", json, 415),
        (&open, "POST /api/incidents", json, 413),
        (&open, "POST /api/incidents", "text/plain", 415),
        (&open, "POST /nothing", json, 405),
        (&open, "DELETE /api/incidents/nobody", json, 404),
        (&open, "POST /hooks/alertmanager/nobody", json, 404),
        (&closed, "POST /api/events", events, 401),
        (&closed, "POST /login", json, 413),
    ] {
        let mut raw = Raw::connect(server.address).await;
        raw.send(large(line, content_type, "").as_bytes()).await;
        for _ in 0..8 {
            assert!(raw.try_send(&vec![b' '; LARGE / 8]).await, "{line} was cut off");
        }
        let told = raw.rest().await;
        assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {told}");
    }
    // Its head alone is too large.
    let mut raw = Raw::connect(open.address).await;
    raw.send(format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: {}", "x".repeat(64 * 1024)).as_bytes()).await;
    assert!(raw.try_send(&vec![b'x'; LARGE]).await, "a large head was cut off");
    let told = raw.rest().await;
    assert!(told.starts_with("HTTP/1.1 431 "), "{told}");
    // Whoever asks first need not send it.
    let mut raw = Raw::connect(open.address).await;
    raw.send(large("POST /api/events", json, "Expect: 100-continue\r\n").as_bytes()).await;
    let told = raw.head().await;
    assert!(told.starts_with("HTTP/1.1 415 "), "{told}");
}

fn handshake(upgrade: &str, version: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n{upgrade}Sec-WebSocket-Version: {version}\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// RFC 6455, 4.4.
#[tokio::test]
async fn another_version_is_told_which_one_is_spoken() {
    let server = Local::start().await;
    for version in ["8", "12", "14", "x"] {
        let mut raw = Raw::connect(server.address).await;
        raw.send(handshake("Connection: Upgrade\r\nUpgrade: websocket\r\n", version).as_bytes()).await;
        let head = raw.head().await.to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 426 "), "{head}");
        assert!(
            head.contains("\r\nsec-websocket-version: 13\r\n") && head.contains("\r\nupgrade: websocket\r\n"),
            "{head}"
        );
    }
}

/// RFC 9110, 7.8: both are lists.
#[tokio::test]
async fn a_client_may_offer_other_protocols_too() {
    let server = Local::start().await;
    for (upgrade, status) in [
        ("Connection: keep-alive, Upgrade\r\nUpgrade: h2c, WebSocket\r\n", "101"),
        ("Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n", "101"),
        ("Connection: Upgrade\r\nUpgrade: h2c\r\n", "400"),
        ("Connection: Upgrade\r\nUpgrade: websocket2\r\n", "400"),
    ] {
        let mut raw = Raw::connect(server.address).await;
        raw.send(handshake(upgrade, "13").as_bytes()).await;
        let head = raw.head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{upgrade}: {head}");
        assert_eq!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), status == "101", "{head}");
    }
}

/// RFC 9112, 3.2.2: then the Host header is ignored.
#[tokio::test]
async fn the_host_of_an_absolute_target_counts() {
    let server = Local::start().await;
    for (target, host, status) in [
        ("http://127.0.0.1/api/incidents", "127.0.0.1", "200"),
        ("http://localhost/api/incidents", "evil.example", "200"),
        ("http://evil.example/api/incidents", "127.0.0.1", "421"),
        ("http://evil.example:80/api/incidents", "localhost", "421"),
        ("http://127.0.0.1@evil.example/api/incidents", "localhost", "421"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let told = answer(&server, &request).await;
        assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{target} {host}: {told}");
    }
}

/// What a request said is repeated as on a terminal: nothing in it turns the reading direction or shows nothing.
#[tokio::test]
async fn a_problem_repeats_no_character_that_nobody_sees() {
    let server = Local::start().await;
    let body = r#"{"scenario":"a\u061cb\u200bc\u202ed"}"#;
    let detail = Http::trigger(server.address, body).send().await.problem(404);
    assert!(detail.contains("\\u{61c}") && detail.contains("\\u{200b}"), "{detail}");
    assert!(!detail.chars().any(incident::visible::is_hidden), "{detail:?}");
}

/// A body of 16 kB that is wrong everywhere must not get an answer of hundreds.
#[tokio::test]
async fn settings_that_are_refused_are_told_up_to_a_number() {
    let server = Local::start().await;
    let many = |speed: &str| {
        let settings: Vec<String> = (0..1_500).map(|n| format!("\"n{n}\":1")).collect();
        format!("{{\"scenario\":\"database-outage\"{speed},\"settings\":{{{}}}}}", settings.join(","))
    };
    for (speed, status, more) in [("", 422, 1_400), (",\"speed\":0", 400, 1_400)] {
        let reply = Http::trigger(server.address, &many(speed)).send().await;
        let detail = reply.problem(status);
        assert!(detail.ends_with(&format!("; and {more} more")), "{}", &detail[detail.len() - 200..]);
        let errors = reply.json()["errors"].as_array().unwrap().len();
        assert_eq!(errors, 100 + usize::from(status == 400));
        assert!(reply.body.len() < 40_000, "{} bytes", reply.body.len());
    }
}
