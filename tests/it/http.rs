//! The HTTP interface beside the socket: every route, what it answers to good and to wrong requests.

use incident::journal::Retention;
use incident::server::Options;
use serde_json::json;

use crate::harness::{Client, Http, Local, Numbers, Raw, Reply, Scratch, Serving, envelope, get, options};

async fn trigger(server: &Local, body: &str) -> Reply {
    Http::trigger(server.address, body).send().await
}

#[tokio::test]
async fn scenarios_are_listed_with_what_a_choice_needs() {
    let server = Local::start().await;
    let reply = get(server.address, "/api/scenarios").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
    let list = reply.json();
    let list = list["scenarios"].as_array().unwrap();
    assert_eq!(list.len(), 2);
    let outage = list.iter().find(|scenario| scenario["id"] == "database-outage").unwrap();
    let wanted = json!({
        "id": "database-outage",
        "title": "Primary database connection pool exhausted",
        "severity": "SEV1",
        "services": ["checkout", "orders-db"],
        "target_s": 180.0,
        "screen_s": 180.0,
        "alerts": 0,
        "provenance": null,
        "parameters": [],
        "variants": [],
    });
    assert_eq!(*outage, wanted);
    let real = list.iter().find(|scenario| scenario["id"] == "github-2018-mysql-failover").unwrap();
    assert_eq!((&real["screen_s"], &real["target_s"]), (&json!(200.0), &json!(86_400.0)));
    assert!(real["provenance"].as_str().unwrap().starts_with("https://github.blog/"));
}

#[tokio::test]
async fn a_trigger_names_the_position_from_which_nothing_is_missed() {
    let server = Local::start().await;
    let reply = trigger(&server, r#"{"scenario":"database-outage","seed":7,"speed":1000}"#).await;
    assert_eq!(reply.status, 202, "{}", reply.body);
    let started = reply.json();
    let id = started["id"].as_str().unwrap();
    assert!(id.starts_with("database-outage-"), "{id}");
    assert_eq!(reply.header("location"), format!("/api/incidents/{id}"));
    let before = started["position"].as_u64().unwrap() - 1;
    let query = format!("?after={}/{before}", started["stream"].as_str().unwrap());
    let mut client = Client::connect(server.address, &query).await;
    let first = envelope(&client.event().await.frame);
    assert_eq!((first.kind.as_str(), first.incident()), ("incident_started", id));
    let data: serde_json::Value = serde_json::from_str(first.data.get()).unwrap();
    assert_eq!((&data["speed"], &data["run"]["seed"]), (&json!(1000.0), &json!(7)));
    loop {
        let event = envelope(&client.event().await.frame);
        if event.kind == "incident_resolved" {
            break;
        }
    }
    let one = get(server.address, &format!("/api/incidents/{id}")).await;
    assert_eq!((one.status, &one.json()["state"]), (200, &json!("resolved")));
    let all = get(server.address, "/api/incidents").await.json();
    assert_eq!(all["incidents"].as_array().unwrap().len(), 1);
    assert_eq!(all["incidents"][0], one.json());
}

#[tokio::test]
async fn an_unknown_incident_is_404() {
    let server = Local::start().await;
    assert_eq!(get(server.address, "/api/incidents").await.json()["incidents"], json!([]));
    for path in [
        "/api/incidents/database-outage-x7k2p",
        "/api/incidents/%2e%2e",
        "/api/incidents/%ff",
        "/api/incidents/database-outage-x7k2p/report.md",
        "/api/incidents/%ff/report.md",
    ] {
        let reply = get(server.address, path).await;
        assert!(matches!(reply.status, 400 | 404), "{path}: {}", reply.status);
        reply.problem(reply.status);
    }
    Http::new(server.address, "DELETE", "/api/incidents/nobody").send().await.problem(404);
}

#[tokio::test]
async fn an_unknown_scenario_is_404_with_what_was_meant() {
    let server = Local::start().await;
    let detail = trigger(&server, r#"{"scenario":"databse-outage"}"#).await.problem(404);
    assert!(detail.contains(r#"did you mean "database-outage"?"#), "{detail}");
    let detail = trigger(&server, r#"{"scenario":"zzz"}"#).await.problem(404);
    assert!(detail.contains("/api/scenarios"), "{detail}");
    assert_eq!(server.journal_head(), 0, "nothing began");
}

#[tokio::test]
async fn a_wrong_body_is_400_and_says_what_is_wrong() {
    let server = Local::start().await;
    for (body, says) in [
        ("", "the body is not JSON"),
        ("{", "the body is not JSON"),
        ("null", "the body is null; a trigger is an object"),
        ("[]", "the body is an array"),
        ("{}", "scenario"),
        (r#"{"scenario":7}"#, "string"),
        (r#"{"scenario":"database-outage","sped":2}"#, "sped"),
        (r#"{"scenario":"database-outage","seed":-1}"#, "-1"),
        (r#"{"scenario":"database-outage","seed":1.5}"#, "1.5"),
        (r#"{"scenario":"database-outage","seed":9007199254740992}"#, "2^53"),
        (r#"{"scenario":"database-outage","speed":"fast"}"#, "speed must be a number, not a string"),
        (r#"{"scenario":"database-outage","speed":0}"#, "from 0.001"),
        (r#"{"scenario":"database-outage","speed":10001}"#, "10000"),
        (r#"{"scenario":"database-outage","speed":1e400}"#, "a number is too large"),
        (r#"{"scenario":"database-outage","speed":NaN}"#, ""),
        (
            r#"{"scenario":"noise","settings":{"n":null}}"#,
            "must be a string, a number, true or false, not null",
        ),
        (
            r#"{"scenario":"noise","settings":{"n":[1]}}"#,
            "must be a string, a number, true or false, not an array",
        ),
        (r#"{"scenario":"noise","settings":{"n":"a","m":"b","n":"a"}}"#, "\"n\" is there twice"),
        (r#"{"scenario":"database-outage"} tail"#, "trailing"),
        ("{\"scenario\":\"\u{0}\"}", ""),
    ] {
        let detail = trigger(&server, body).await.problem(400);
        assert!(detail.contains(says), "{body}: {detail}");
    }
    assert_eq!(server.journal_head(), 0, "nothing began");
}

/// A form says each mistake beside its field.
#[tokio::test]
async fn what_is_wrong_with_a_trigger_is_said_of_each_member() {
    let server = Serving::alone(&["serve", "--port", "0", "--json", "--quiet"]);
    for (body, wanted) in [
        (r#"{"scenario":"databse-outage"}"#, vec![("/scenario", "did you mean")]),
        (r#"{"scenario":"database-outage","seed":-1}"#, vec![("/seed", "not -1")]),
        (r#"{"scenario":"database-outage","speed":0}"#, vec![("/speed", "from 0.001")]),
        (
            r#"{"scenario":"api-overload","settings":{"a/b~c":1,"instances":500,"variant":"partner-silnt"}}"#,
            vec![
                ("/settings/a~1b~0c", "no parameter"),
                ("/settings/instances", "at most 400"),
                ("/settings/variant", "did you mean \"partner-silent\"?"),
            ],
        ),
        (
            r#"{"seed":-1,"speed":"2","scenario":"databse-outage","settngs":{}}"#,
            vec![
                ("/seed", "not -1"),
                ("/speed", "must be a number, not a string"),
                ("/settngs", "did you mean \"settings\"?"),
                ("/scenario", "did you mean \"database-outage\"?"),
            ],
        ),
        (
            r#"{"scenario":"api-overload","speed":0,"settings":{"instances":500,"a":null}}"#,
            vec![
                ("/speed", "from 0.001"),
                ("/settings/a", "not null"),
                ("/settings/instances", "at most 400"),
            ],
        ),
        (r#"{"scenario":1}"#, vec![("/scenario", "must be a string, not a number")]),
        (r#"{"scenario":"noise","settings":[]}"#, vec![("/settings", "must be an object, not an array")]),
        (r#"{"scenario":"database-outage","scenario":"x"}"#, vec![("/scenario", "there twice")]),
        ("{}", vec![("/scenario", "missing")]),
    ] {
        let reply = Http::trigger(server.address(), body).send().await;
        let detail = reply.problem(reply.status);
        let errors = reply.json()["errors"].as_array().unwrap().clone();
        assert_eq!(errors.len(), wanted.len(), "{errors:?}");
        for (error, (pointer, says)) in errors.iter().zip(wanted) {
            assert_eq!(error["pointer"], pointer);
            let why = error["detail"].as_str().unwrap();
            assert!(why.contains(says) && detail.contains(why), "{error} of {detail}");
        }
    }
    let listed = get(server.address(), "/api/incidents").await.json();
    assert_eq!(listed["incidents"], json!([]), "nothing began");
}

#[tokio::test]
async fn a_body_that_is_not_called_json_is_415() {
    let server = Local::start().await;
    let post =
        || Http::new(server.address, "POST", "/api/incidents").body(r#"{"scenario":"database-outage"}"#);
    post().send().await.problem(415);
    for wrong in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
        post().header("Content-Type", wrong).send().await.problem(415);
    }
    let reply = post().header("Content-Type", "application/json; charset=utf-8").send().await;
    assert_eq!(reply.status, 202, "{}", reply.body);
}

#[tokio::test]
async fn a_body_over_16_kib_is_413() {
    let server = Local::start().await;
    let padding = " ".repeat(16 * 1024);
    let body = format!(r#"{{"scenario":"database-outage"{padding}}}"#);
    trigger(&server, &body).await.problem(413);
    // Chunked, so that no length warns the server.
    let chunk = format!("4400\r\n{}\r\n0\r\n\r\n", "x".repeat(0x4400));
    let mut raw = Raw::connect(server.address).await;
    let head = "POST /api/incidents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
        Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    raw.send(format!("{head}{chunk}").as_bytes()).await;
    let answer = raw.rest().await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(server.journal_head(), 0, "nothing began");
}

#[tokio::test]
async fn a_cancelled_incident_has_ended_and_says_so_to_who_cancels_it_again() {
    let server = Local::start().await;
    let id = trigger(&server, r#"{"scenario":"database-outage"}"#).await.json()["id"].clone();
    let path = format!("/api/incidents/{}", id.as_str().unwrap());
    let cancelled = Http::new(server.address, "DELETE", &path).send().await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    let position = cancelled.json()["position"].as_u64().unwrap();
    let mut client = server.client_after(position - 1).await;
    let last = envelope(&client.event().await.frame);
    assert_eq!((last.kind.as_str(), last.incident()), ("incident_resolved", id.as_str().unwrap()));
    assert_eq!(get(server.address, &path).await.json()["state"], "cancelled");
    let again = Http::new(server.address, "DELETE", &path).send().await;
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!(again.json()["position"], position);
    assert_eq!(
        (&again.json()["outcome"], &again.json()["cancelled_now"]),
        (&"cancelled".into(), &false.into())
    );
}

#[tokio::test]
async fn a_method_that_a_path_has_not_is_a_405_problem() {
    let server = Local::start().await;
    for (method, path) in [
        ("POST", "/ws"),
        ("POST", "/api/scenarios"),
        ("PUT", "/api/incidents"),
        ("PATCH", "/api/incidents/x"),
        ("DELETE", "/api/incidents"),
        ("POST", "/api/incidents/x/report.md"),
        ("POST", "/healthz"),
        ("POST", "/"),
        ("OPTIONS", "/api/incidents"),
        ("TRACE", "/"),
    ] {
        let reply = Http::new(server.address, method, path).send().await;
        let detail = reply.problem(405);
        assert!(detail.contains(method), "{method} {path}: {detail}");
        assert!(!reply.header("allow").is_empty(), "{method} {path}: RFC 9110, section 15.5.6");
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_a_404_problem() {
    let server = Local::start().await;
    for path in
        ["/nothing", "/api", "/api/", "/api/scenario", "/ws/", "/index.htm", "/app.js/", "/Cargo.toml"]
    {
        let detail = get(server.address, path).await.problem(404);
        assert!(detail.contains(path), "{path}: {detail}");
    }
}

#[tokio::test]
async fn health_and_readiness_answer_and_the_schema_is_the_contracts() {
    let server = Local::start().await;
    let (health, ready) = (get(server.address, "/healthz").await, get(server.address, "/readyz").await);
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    assert_eq!((ready.status, ready.body.as_str()), (200, "ready\n"));
    assert_eq!(get(server.address, "/schema.json").await.json(), incident::contract::schema::document());
}

#[tokio::test]
async fn the_page_comes_with_types_and_is_not_sent_twice() {
    let server = Local::start().await;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/app.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
    ] {
        let reply = get(server.address, path).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, content_type), "{path}");
        assert!(!reply.body.is_empty(), "{path}");
        let again = Http::new(server.address, "GET", path).header("If-None-Match", reply.header("etag"));
        let again = again.send().await;
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{path}");
        let other = Http::new(server.address, "GET", path).header("If-None-Match", "\"other\"").send().await;
        assert_eq!((other.status, other.body), (200, reply.body), "{path}");
        let head = Http::new(server.address, "HEAD", path).send().await;
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
    }
}

#[tokio::test]
async fn the_page_never_leaves_its_folder() {
    let scratch = Scratch::new().with("secret.js", "secret").with("page/index.html", "edited");
    let scratch = scratch.with("page/panels/a.js", "inside").with("page/notes.txt", "secret");
    let folder = Some(scratch.path().join("page"));
    let edited = Local::with(Options { dashboard: folder, ..options() }, Retention::default()).await;
    assert_eq!(get(edited.address, "/").await.body, "edited");
    assert_eq!(get(edited.address, "/panels/a.js").await.body, "inside");
    let built_in = Local::start().await;
    let absolute = format!("/{}/secret.js", scratch.text());
    for path in [
        "/../secret.js",
        "/panels/../../secret.js",
        "/./../secret.js",
        "/%2e%2e/secret.js",
        "/..%2fsecret.js",
        "/..\\secret.js",
        "//secret.js",
        absolute.as_str(),
        "/notes.txt",
        "/panels",
        "/index.html%00.js",
    ] {
        for server in [&edited, &built_in] {
            let reply = get(server.address, path).await;
            assert!(matches!(reply.status, 400 | 404), "{path}: {}", reply.status);
            assert!(
                !reply.body.contains("secret") || reply.body.contains("there is nothing at"),
                "{}",
                reply.body
            );
        }
    }
}

#[tokio::test]
async fn a_body_that_never_comes_is_not_waited_for() {
    let server = Local::start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.send(
        b"POST /api/incidents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: Application/JSON\r\n\
          Content-Length: 100\r\n\r\n{",
    )
    .await;
    assert!(raw.head().await.starts_with("HTTP/1.1 408"));
}

/// `nc -N`, `socat` and some health checks close their side behind the request, which is complete then.
#[tokio::test]
async fn a_client_that_has_closed_its_side_gets_its_answer() {
    let server = Local::start().await;
    server.append(crate::harness::story("a", 3)).await;
    let trigger = r#"{"scenario":"database-outage"}"#;
    let requests = [
        ("GET /metrics", ""),
        ("GET /api/incidents", ""),
        ("GET /api/incidents/a/events", ""),
        ("GET /api/scenarios", ""),
        ("POST /api/incidents", trigger),
    ];
    for (request, body) in requests {
        let mut raw = Raw::connect(server.address).await;
        let length = body.len();
        let head = format!(
            "{request} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        raw.send((head + body).as_bytes()).await;
        raw.shutdown().await;
        let answer = raw.rest().await;
        assert!(answer.starts_with("HTTP/1.1 20"), "{request}: {answer:?}");
    }
}

/// A stream ends with the side of the client, and says so: a response that breaks off looks like a fault of the server.
#[tokio::test]
async fn a_stream_to_a_client_that_has_closed_its_side_ends_with_the_reason() {
    let server = Local::start().await;
    server.append(crate::harness::story("a", 3)).await;
    for (version, end) in
        [("1.1", ": 1000 closed by the client\n\r\n0\r\n\r\n"), ("1.0", ": 1000 closed by the client\n")]
    {
        let mut raw = Raw::connect(server.address).await;
        raw.send(format!("GET /events?after=0 HTTP/{version}\r\nHost: 127.0.0.1\r\n\r\n").as_bytes()).await;
        raw.shutdown().await;
        let answer = raw.rest().await;
        assert!(answer.contains("stream_opened") && answer.ends_with(end), "{version}: {answer:?}");
    }
    let mut raw = Raw::connect(server.address).await;
    raw.send(
        b"GET /ws?after=0 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
          Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .await;
    raw.shutdown().await;
    let answer = raw.rest().await;
    assert!(answer.contains("stream_opened"), "{answer:?}");
    assert!(answer.ends_with("the connection ended without a close frame"), "{answer:?}");
    Numbers::until(server.address, "incident_closes_total{code=\"1006\",transport=\"ws\"}", 1.0).await;
}
