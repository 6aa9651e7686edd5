//! A server with tokens: what asks for one, what each is good for, and what becomes of those that are withdrawn.

use std::net::{IpAddr, Ipv4Addr};

use incident::journal::Retention;
use incident::server::{Options, Replaced};
use incident::token::Scope;
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use crate::harness::{Client, Http, Local, READ, Reply, WRITE, get, ms, options, soon, started, tokens};

const BODY: &str = r#"{"scenario":"database-outage"}"#;

/// A WebSocket opened with a token, or the status that it was refused with.
async fn open(server: &Local, token: &str) -> Result<Client, u16> {
    let header = format!("Bearer {token}");
    match Client::with_headers(server.address, "", &[("Authorization", &header)]).await {
        Ok(client) => Ok(client),
        Err(error) => match *error {
            Error::Http(response) => Err(response.status().as_u16()),
            other => panic!("{other}"),
        },
    }
}

async fn list(server: &Local, authorization: &str) -> Reply {
    let request = Http::new(server.address, "GET", "/api/incidents");
    request.header("Authorization", authorization).send().await
}

#[tokio::test]
async fn everything_asks_for_a_token_but_what_has_to_be_there_without_one() {
    let server = Local::closed().await;
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/index.html"),
        ("GET", "/app.js"),
        ("GET", "/login.html"),
        ("GET", "/ws"),
        ("GET", "/ws?after=0"),
        ("GET", "/events"),
        ("GET", "/metrics"),
        ("GET", "/schema.json"),
        ("GET", "/asyncapi.json"),
        ("GET", "/api/scenarios"),
        ("GET", "/api/incidents"),
        ("GET", "/api/incidents/x"),
        ("GET", "/api/incidents/x/report.md"),
        ("GET", "/api/incidents/x/events"),
        ("GET", "/nothing"),
        ("GET", "//healthz"),
        ("GET", "/healthz/"),
        ("GET", "/healthz/../api/incidents"),
        ("GET", "/%68ealthz"),
        ("HEAD", "/api/incidents"),
        ("POST", "/api/incidents"),
        ("DELETE", "/api/incidents/x"),
        ("OPTIONS", "/api/incidents"),
        ("POST", "/"),
    ] {
        let reply = Http::new(server.address, method, path).send().await;
        assert_eq!(reply.status, 401, "{method} {path}");
        assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"incident\"", "{method} {path}");
        if method != "HEAD" {
            let detail = reply.problem(401);
            assert!(detail.contains("Authorization: Bearer TOKEN"), "{detail}");
        }
    }
    for path in [
        "/healthz",
        "/readyz",
        "/login",
        "/login.css",
        "/login.js",
        "/api.js",
        "/app.css",
        "/colors.css",
        "/colors+app+phone+login.css",
        "/dom.js",
        "/visible.js",
        "/favicon.svg",
        "/icons.js",
        "/link.js",
        "/panels/theme.js",
        "/phone.css",
        "/api/session",
    ] {
        let reply = get(server.address, path).await;
        assert_eq!(reply.status, 200, "{path}");
        // A wrong token is no reason not to say that the server lives.
        if !path.starts_with("/api/") {
            let wrong = Http::new(server.address, "GET", path).bearer("x").send().await;
            assert_eq!(wrong.status, 200, "{path}");
        }
    }
    assert_eq!(server.journal_head(), 0, "nothing began");
}

#[tokio::test]
async fn a_read_token_looks_and_a_write_token_acts_too() {
    let server = Local::closed().await;
    let trigger = |token: &str| Http::trigger(server.address, BODY).bearer(token).send();
    let refused = trigger(READ).await;
    assert!(refused.header("www-authenticate").contains("insufficient_scope"));
    assert!(refused.problem(403).contains("write token"));
    let cancel = Http::new(server.address, "DELETE", "/api/incidents/x").bearer(READ).send().await;
    cancel.problem(403);
    assert_eq!(server.journal_head(), 0, "nothing began");

    let id = trigger(WRITE).await.json()["id"].as_str().unwrap().to_owned();
    for token in [READ, WRITE] {
        for path in ["/", "/app.js", "/schema.json", "/asyncapi.json", "/api/scenarios", "/api/incidents"] {
            let reply = Http::new(server.address, "GET", path).bearer(token).send().await;
            assert_eq!(reply.status, 200, "{path}");
            assert!(!reply.header("cache-control").is_empty(), "{path} is not left to caches to decide");
        }
        let mut client = open(&server, token).await.unwrap_or_else(|status| panic!("{status}"));
        assert_eq!(client.event().await.position, 1);
    }
    let path = format!("/api/incidents/{id}");
    assert_eq!(Http::new(server.address, "DELETE", &path).bearer(WRITE).send().await.status, 200);
    for (token, scope) in [(READ, "read"), (WRITE, "write")] {
        let session = Http::new(server.address, "GET", "/api/session").bearer(token).send().await.json();
        assert_eq!(session, json!({ "scope": scope, "authenticated": true }));
    }
    let nobody = get(server.address, "/api/session").await.json();
    assert_eq!(nobody, json!({ "scope": null, "authenticated": false }));
}

#[tokio::test]
async fn what_is_not_exactly_a_token_is_none() {
    let server = Local::closed().await;
    for good in ["Bearer", "bearer", "BEARER", "Bearer "] {
        assert_eq!(list(&server, &format!("{good} {WRITE}")).await.status, 200, "{good:?}");
    }
    for wrong in [
        "Bearer",
        "Bearer ",
        &format!("Bearer {WRITE}x"),
        &format!("Bearer {}", &WRITE[1..]),
        &format!("Bearer {}", &WRITE[..WRITE.len() - 1]),
        &format!("Bearer {}", WRITE.to_uppercase()),
        &format!("Bearer {READ}{WRITE}"),
        &format!("Bearer {READ} {WRITE}"),
        &format!("Bearer {READ},{WRITE}"),
        &format!("Bearer \"{WRITE}\""),
        &format!("Bearer\t{WRITE}"),
        &format!("Basic {WRITE}"),
        &format!("Bearer{WRITE}"),
        WRITE,
        "Bearer \u{e9}\u{e9}",
    ] {
        let reply = list(&server, wrong).await;
        assert_eq!(reply.status, 401, "{wrong:?}");
        assert!(reply.header("www-authenticate").starts_with("Bearer "), "{wrong:?}");
        assert!(!reply.body.contains("01234"), "nothing of it is repeated: {}", reply.body);
    }
    assert_eq!(open(&server, "wrong-0123456789abcdef").await.err(), Some(401));
    let both = Http::new(server.address, "GET", "/api/incidents").bearer("x").bearer(WRITE).send().await;
    assert!(both.problem(400).contains("several"));
}

#[tokio::test]
async fn a_token_in_a_url_is_refused_wherever_it_stands() {
    for server in [Local::closed().await, Local::start().await] {
        for path in ["/", "/ws", "/api/incidents", "/healthz", "/login"] {
            for query in ["token=", "a=b&token=", "TOKEN=", "%74oken=", "access%5ftoken=", "token&after="] {
                let target = format!("{path}?{query}{WRITE}");
                let reply = Http::new(server.address, "GET", &target).bearer(WRITE).send().await;
                let detail = reply.problem(400);
                assert!(detail.contains("URL") && detail.contains("Authorization"), "{target}: {detail}");
                assert!(!detail.contains(WRITE), "{detail}");
            }
        }
        let other = Http::new(server.address, "GET", "/healthz?tokens=1&my_token=2").send().await;
        assert_eq!(other.status, 200, "other names are other things");
    }
}

#[tokio::test]
async fn without_tokens_everybody_may_do_everything_and_nothing_is_looked_at() {
    let server = Local::start().await;
    let session = get(server.address, "/api/session").await.json();
    assert_eq!(session, json!({ "scope": "write", "authenticated": false }));
    assert_eq!(list(&server, "Bearer whatever").await.status, 200);
    assert_eq!(Http::trigger(server.address, BODY).send().await.status, 202);
    let login = Http::new(server.address, "POST", "/login").header("Content-Type", "application/json");
    login.body(r#"{"token":"x"}"#).send().await.problem(404);
}

#[tokio::test]
async fn a_withdrawn_token_is_refused_and_its_streams_end_and_no_others() {
    let server = Local::closed().await;
    let mut withdrawn = open(&server, WRITE).await.unwrap_or_else(|status| panic!("{status}"));
    let mut stays = open(&server, READ).await.unwrap_or_else(|status| panic!("{status}"));
    let new = "n3w-0123456789abcdef";
    let replaced = server.auth.replace(tokens(&[(Scope::Read, READ), (Scope::Write, new)]));
    assert_eq!(replaced, Replaced { read: 1, publish: 0, write: 1, added: 1, withdrawn: 1 });
    assert_eq!(list(&server, &format!("Bearer {WRITE}")).await.status, 401, "at once");
    assert_eq!(open(&server, WRITE).await.err(), Some(401));
    assert_eq!(withdrawn.closed().await.0, 1012);
    assert_eq!(list(&server, &format!("Bearer {new}")).await.status, 200);
    server.append(vec![started("a")]).await;
    assert_eq!(stays.event().await.position, 1, "another token's stream goes on");
}

#[tokio::test]
async fn another_scope_is_another_token_and_none_left_lets_nobody_in() {
    let server = Local::closed().await;
    let mut client = open(&server, WRITE).await.unwrap_or_else(|status| panic!("{status}"));
    server.auth.replace(tokens(&[(Scope::Read, WRITE)]));
    assert_eq!(client.closed().await.0, 1012, "it was opened by something that is no more");
    Http::trigger(server.address, BODY).bearer(WRITE).send().await.problem(403);
    assert_eq!(list(&server, &format!("Bearer {WRITE}")).await.status, 200);
    server.auth.replace(Vec::new());
    assert_eq!(list(&server, &format!("Bearer {WRITE}")).await.status, 401);
    assert_eq!(get(server.address, "/api/incidents").await.status, 401, "and is not open to all");
}

#[tokio::test]
async fn a_server_that_stops_takes_leave_of_those_with_tokens_too() {
    let server = Local::closed().await;
    let mut clients = Vec::new();
    for token in [READ, WRITE, READ] {
        clients.push(open(&server, token).await.unwrap_or_else(|status| panic!("{status}")));
    }
    let stopped = tokio::spawn(server.drained());
    for client in &mut clients {
        assert_eq!(client.closed().await.0, 1012);
    }
    soon("the end", stopped).await.unwrap();
}

/// Shows wrong tokens until the last that was looked at was the last that will be for half a second.
async fn use_up(server: &Local) {
    for status in [429, 401] {
        while list(server, "Bearer guess-0123456789").await.status != status {}
    }
}

/// Linux has all of 127.0.0.0/8 on its loopback.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn who_guesses_is_slowed_down_and_nobody_else_is() {
    // On a quiet machine the guesses alone come faster than the usual rate of connections, whose 429 is another one.
    let tokens = tokens(&[(Scope::Read, READ), (Scope::Write, WRITE)]);
    let options = Options { tokens, admit_rate: 1_000_000, ..options() };
    let server = Local::with(options, Retention::default()).await;
    let body = format!(r#"{{"token":"{READ}"}}"#);
    let login = |body: &str| {
        let post = Http::new(server.address, "POST", "/login").header("Content-Type", "application/json");
        post.body(body).send()
    };
    let cookie = login(&body).await.cookie().to_owned();
    let mut statuses = Vec::new();
    for guess in 0..60 {
        let reply = list(&server, &format!("Bearer guess-{guess}-0123456789")).await;
        if reply.status == 429 {
            assert_eq!(reply.header("retry-after"), "1");
            assert!(reply.problem(429).contains("try again"));
        }
        statuses.push(reply.status);
    }
    assert!(statuses[..20].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses[20..].contains(&429) && statuses.iter().all(|status| matches!(status, 401 | 429)));

    // A right token would be told from a wrong one by being let in: it is not looked at either. Nor is one at login.
    use_up(&server).await;
    assert_eq!(list(&server, &format!("Bearer {WRITE}")).await.status, 429);
    use_up(&server).await;
    login(&body).await.problem(429);

    // Whoever is logged in and whoever comes from elsewhere does not notice.
    let session = Http::new(server.address, "GET", "/api/incidents").header("Cookie", &cookie).send().await;
    assert_eq!(session.status, 200);
    let other = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    let elsewhere = Http::new(server.address, "GET", "/api/incidents").bearer(WRITE).from(other);
    assert_eq!(elsewhere.send().await.status, 200);

    let again = async {
        while list(&server, &format!("Bearer {WRITE}")).await.status != 200 {
            tokio::time::sleep(ms(50)).await;
        }
    };
    soon("the address to be forgiven", again).await;
}

/// Right tokens cost nothing, however many come at once.
#[tokio::test]
async fn who_is_right_is_never_slowed_down() {
    let server = Local::closed().await;
    let good = format!("Bearer {READ}");
    let asked = (0..100).map(|_| list(&server, &good));
    for reply in futures_util::future::join_all(asked).await {
        assert_eq!(reply.status, 200);
    }
}

/// Whoever reads `/api/session` by the documentation knows every scope.
#[test]
fn every_scope_that_a_session_may_have_is_described() {
    let text = std::fs::read_to_string(crate::harness::root().join("docs/stream.md")).unwrap();
    let line = text.lines().find(|line| line.contains("GET /api/session")).unwrap();
    for scope in Scope::ALL {
        assert!(line.contains(&format!("\"{}\"", scope.as_str())), "{}: {line}", scope.as_str());
    }
}
