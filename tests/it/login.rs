//! What browsers get for a token: a session in a cookie, from the login page to its end.

use std::time::Duration;

use incident::journal::Retention;
use incident::server::Options;
use incident::token::Scope;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::harness::{Client, Http, Local, READ, Reply, WRITE, get, options, started, tokens};

/// A second token that may write.
const OTHER: &str = "0ther-0123456789abcdef";

const BODY: &str = r#"{"scenario":"database-outage"}"#;

pub fn login(server: &Local, token: &str) -> Http {
    let post = Http::new(server.address, "POST", "/login").header("Content-Type", "application/json");
    post.body(&json!({ "token": token }).to_string()).origin(&own(server))
}

pub fn own(server: &Local) -> String {
    format!("http://{}", server.address)
}

/// The cookie of a new session.
pub async fn session(server: &Local, token: &str) -> String {
    let reply = login(server, token).send().await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.cookie().to_owned()
}

pub async fn list(server: &Local, cookie: &str) -> u16 {
    Http::new(server.address, "GET", "/api/incidents").header("Cookie", cookie).send().await.status
}

/// A WebSocket as a browser opens it.
async fn open(server: &Local, cookie: &str, origin: &str) -> Result<Client, u16> {
    let headers = [("Cookie", cookie), ("Origin", origin)];
    let headers = if origin.is_empty() { &headers[..1] } else { &headers[..] };
    match Client::with_headers(server.address, "", headers).await {
        Ok(client) => Ok(client),
        Err(error) => match *error {
            Error::Http(response) => Err(response.status().as_u16()),
            other => panic!("{other}"),
        },
    }
}

pub async fn opened(server: &Local, cookie: &str) -> Client {
    open(server, cookie, &own(server)).await.unwrap_or_else(|status| panic!("{status}"))
}

#[tokio::test]
async fn a_browser_that_is_not_logged_in_gets_the_login_page_wherever_it_goes() {
    let server = Local::closed().await;
    let accept = "text/html,application/xhtml+xml,*/*;q=0.8";
    for path in ["/", "/index.html", "/api/incidents/x/report.md", "/nothing"] {
        let reply = Http::new(server.address, "GET", path).header("Accept", accept).send().await;
        assert_eq!((reply.status, reply.header("content-type")), (401, "text/html; charset=utf-8"), "{path}");
        assert!(reply.body.contains("<form id=\"login\""), "{path}: {}", reply.body);
        assert!(reply.header("content-security-policy").contains("form-action 'none'"), "{path}");
    }
    let program = Http::new(server.address, "GET", "/").header("Accept", accept).bearer("wrong").send().await;
    program.problem(401);

    // What the browser kept of the page is not confirmed to whoever may not see it.
    let cookie = session(&server, READ).await;
    let page = || Http::new(server.address, "GET", "/").header("Accept", accept);
    let inside = page().header("Cookie", &cookie).send().await;
    assert!(inside.status == 200 && inside.body.contains("<theme-toggle>"), "{}", inside.body);
    let etag = inside.header("etag");
    assert_eq!(page().header("If-None-Match", etag).send().await.status, 401);
    let again = page().header("If-None-Match", etag).header("Cookie", &cookie).send().await;
    assert_eq!(again.status, 304);
}

#[tokio::test]
async fn a_session_may_what_its_token_may() {
    let server = Local::closed().await;
    for (token, scope, status) in [(READ, "read", 403), (WRITE, "write", 202)] {
        let reply = login(&server, token).send().await;
        assert_eq!(reply.json(), json!({ "scope": scope, "authenticated": true }));
        let cookie = reply.cookie();
        let told = Http::new(server.address, "GET", "/api/session").header("Cookie", cookie).send().await;
        assert_eq!(told.json(), reply.json());
        assert_eq!(list(&server, cookie).await, 200);
        let trigger = Http::trigger(server.address, BODY).header("Cookie", cookie).origin(&own(&server));
        assert_eq!(trigger.send().await.status, status, "{scope}");
    }
}

#[tokio::test]
async fn the_cookie_is_for_this_server_alone_and_for_no_script() {
    let server = Local::closed().await;
    let port = server.address.port();
    let reply = login(&server, READ).send().await;
    let set = reply.header("set-cookie");
    let (name, rest) = set.split_once('=').unwrap();
    let (id, attributes) = rest.split_once("; ").unwrap();
    assert_eq!((name, attributes), (&*format!("incident-{port}"), "Path=/; HttpOnly; SameSite=Strict"));
    assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    assert!(!reply.body.contains(id) && !set.contains(READ), "{}", reply.body);
    assert_eq!(reply.header("cache-control"), "no-store");

    // Behind a proxy that speaks TLS the page is an https one.
    let allow = vec!["https://incidents.example".parse().unwrap()];
    let known = tokens(&[(Scope::Read, READ)]);
    let options = Options { allow_origins: allow, tokens: known, ..options() };
    let server = Local::with(options, Retention::default()).await;
    let post = Http::new(server.address, "POST", "/login").header("Content-Type", "application/json");
    let post = post.body(&json!({ "token": READ }).to_string()).origin("https://incidents.example");
    let reply = post.send().await;
    assert!(reply.header("set-cookie").ends_with("; SameSite=Strict; Secure"), "{reply:?}");
}

#[tokio::test]
async fn what_is_no_login_is_refused_and_sets_nothing() {
    let server = Local::closed().await;
    let good = json!({ "token": WRITE }).to_string();
    let post = |content_type: &str, body: &str| {
        let post = Http::new(server.address, "POST", "/login").header("Content-Type", content_type);
        post.body(body)
    };
    let refused = |reply: Reply, status: u16| {
        let detail = reply.problem(status);
        assert_eq!(reply.header("set-cookie"), "", "{detail}");
        assert!(!reply.body.contains("0123456789"), "what was sent is not repeated: {}", reply.body);
    };
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
        refused(post(content_type, &good).send().await, 415);
        refused(post(content_type, &format!("token={WRITE}")).send().await, 415);
    }
    for origin in ["null", "http://evil.example", "http://127.0.0.1", "https://127.0.0.1"] {
        refused(post("application/json", &good).origin(origin).send().await, 403);
    }
    for site in ["cross-site", "same-site", "something-new"] {
        refused(post("application/json", &good).header("Sec-Fetch-Site", site).send().await, 403);
    }
    for body in [
        "",
        "{}",
        "[]",
        &format!("\"{WRITE}\""),
        &format!("[\"{WRITE}\", 1]"),
        &format!("{{\"{WRITE}\":1}}"),
        &format!("{{\"token\":\"{WRITE}\",\"more\":1}}"),
        &format!("{{\"token\":[\"{WRITE}\"]}}"),
        r#"{"token":123456789012345678901234567890}"#,
    ] {
        refused(post("application/json", body).send().await, 400);
    }
    refused(post("application/json", r#"{"token":"wrong-0123456789"}"#).send().await, 401);
    refused(post("application/json", r#"{"token":""}"#).send().await, 401);
    let long = format!(r#"{{"token":"{}"}}"#, "0".repeat(20_000));
    assert_eq!(post("application/json", &long).send().await.status, 413);
    assert_eq!(Http::new(server.address, "PUT", "/login").send().await.status, 405);
    assert_eq!(get(server.address, "/logout").await.status, 405);
}

#[tokio::test]
async fn what_the_server_did_not_make_is_no_session() {
    let server = Local::closed().await;
    let cookie = session(&server, WRITE).await;
    let (name, id) = cookie.split_once('=').unwrap();
    let zeros = "0".repeat(64);
    for forged in [WRITE, "", &id[..63], &format!("{id}0"), &id.to_uppercase(), &zeros, "\"", "=", "; ="] {
        if forged != id {
            assert_eq!(list(&server, &format!("{name}={forged}")).await, 401, "{forged:?}");
        }
    }
    for other in [format!("x{name}={id}"), format!("{name} ={id}"), format!("incident={id}"), id.to_owned()] {
        assert_eq!(list(&server, &other).await, 401, "{other:?}");
    }
    assert_eq!(list(&server, &format!("a=b; {cookie}; c")).await, 200, "among others");
    // Another server of this host can set cookies that come before ours.
    assert_eq!(list(&server, &format!("{name}=planted; {cookie}")).await, 200);
    let bearer = Http::new(server.address, "GET", "/api/incidents").bearer(id).send().await;
    assert_eq!(bearer.status, 401, "an id is no token");
    let wrong = Http::new(server.address, "GET", "/api/incidents").bearer("wrong").header("Cookie", &cookie);
    assert_eq!(wrong.send().await.status, 401, "a token that is shown decides alone");
}

/// An id that somebody knew before the login is worth nothing after it.
#[tokio::test]
async fn a_login_makes_a_new_id_and_ends_the_old_session() {
    let server = Local::closed().await;
    let before = session(&server, READ).await;
    let mut stream = opened(&server, &before).await;
    let reply = login(&server, WRITE).header("Cookie", &before).send().await;
    assert_ne!(reply.cookie(), before);
    assert_eq!(list(&server, &before).await, 401);
    assert_eq!(stream.closed().await.0, 1012);
    let name = before.split_once('=').unwrap().0;
    let planted = format!("{name}={}", "a".repeat(64));
    let reply = login(&server, WRITE).header("Cookie", &planted).send().await;
    assert_ne!(reply.cookie(), planted);
    assert_eq!(list(&server, &planted).await, 401);
}

#[tokio::test]
async fn a_cookie_alone_changes_and_streams_nothing() {
    let server = Local::closed().await;
    let cookie = session(&server, WRITE).await;
    let trigger = || Http::trigger(server.address, BODY).header("Cookie", &cookie);
    let detail = trigger().send().await.problem(403);
    assert!(detail.contains("Origin") && detail.contains("Bearer"), "{detail}");
    let delete = Http::new(server.address, "DELETE", "/api/incidents/x").header("Cookie", &cookie);
    delete.send().await.problem(403);
    assert_eq!(open(&server, &cookie, "").await.err(), Some(403));
    let localhost = format!("http://localhost:{}", server.address.port());
    for origin in ["null", "http://evil.example", "http://127.0.0.1:1", &localhost] {
        trigger().origin(origin).send().await.problem(403);
        assert_eq!(open(&server, &cookie, origin).await.err(), Some(403), "{origin}");
    }
    assert_eq!(server.journal_head(), 0, "nothing began");
    assert_eq!(trigger().origin(&own(&server)).send().await.status, 202);
    opened(&server, &cookie).await;
}

#[tokio::test]
async fn logging_out_ends_the_session_and_its_streams_and_no_others() {
    let server = Local::closed().await;
    let (mine, other) = (session(&server, READ).await, session(&server, READ).await);
    let (mut my_stream, mut other_stream) = (opened(&server, &mine).await, opened(&server, &other).await);
    let logout = || Http::new(server.address, "POST", "/logout").header("Cookie", &mine);
    logout().origin("http://evil.example").send().await.problem(403);
    // A browser says in `Origin` which page it was, as with everything that changes something.
    let detail = logout().send().await.problem(403);
    assert!(detail.contains("Origin"), "{detail}");
    let same_site = logout().header("Sec-Fetch-Site", "same-site").send().await;
    same_site.problem(403);
    let post = Http::new(server.address, "POST", "/login").header("Content-Type", "application/json");
    let again = post.body(&json!({ "token": READ }).to_string()).header("Cookie", &mine).send().await;
    again.problem(403);
    assert_eq!(list(&server, &mine).await, 200, "nobody else can log anybody out");
    let reply = logout().origin(&own(&server)).send().await;
    assert_eq!(reply.status, 204);
    let set = reply.header("set-cookie");
    assert!(set.contains("=; Max-Age=0; Path=/; HttpOnly"), "{set}");
    assert_eq!(list(&server, &mine).await, 401);
    assert_eq!(my_stream.closed().await.0, 1012);
    assert_eq!(list(&server, &other).await, 200);
    server.append(vec![started("a")]).await;
    assert_eq!(other_stream.event().await.position, 1);
    assert_eq!(logout().origin(&own(&server)).send().await.status, 204, "once more is no mistake");
    let without = Http::new(server.address, "POST", "/logout").send().await;
    assert_eq!(without.status, 204, "without a cookie there is nothing to end");
}

#[tokio::test]
async fn a_withdrawn_token_takes_its_sessions_with_it() {
    let server = Local::closed().await;
    let (gone, stays) = (session(&server, WRITE).await, session(&server, READ).await);
    let (mut gone_stream, mut stream) = (opened(&server, &gone).await, opened(&server, &stays).await);
    server.auth.replace(tokens(&[(Scope::Read, READ)]));
    assert_eq!((list(&server, &gone).await, list(&server, &stays).await), (401, 200));
    assert_eq!(gone_stream.closed().await.0, 1012);
    login(&server, WRITE).send().await.problem(401);
    server.append(vec![started("a")]).await;
    assert_eq!(stream.event().await.position, 1);
    // Nor does it come back with a token that was withdrawn and is known again.
    server.auth.replace(tokens(&[(Scope::Write, WRITE)]));
    assert_eq!((list(&server, &gone).await, list(&server, &stays).await), (401, 401));
}

/// Lets hours pass. While time stands still nothing may be waited for: it would seem to take for ever.
pub async fn later(hours: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(hours * 60 * 60)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_session_that_nobody_uses_is_over_after_twelve_hours() {
    let server = Local::closed().await;
    let (used, unused, watched) =
        (session(&server, READ).await, session(&server, READ).await, session(&server, READ).await);
    let mut stream = opened(&server, &watched).await;
    for _ in 0..3 {
        later(7).await;
        assert_eq!(list(&server, &used).await, 200, "use keeps it");
    }
    assert_eq!(list(&server, &unused).await, 401);
    assert_eq!(list(&server, &watched).await, 200, "an open page is use");
    server.append(vec![started("a")]).await;
    assert_eq!(stream.event().await.position, 1);
    later(13).await;
    // A page that is cut off after a long time comes back at once.
    stream.send(Message::Close(None)).await;
    while stream.message().await.is_some_and(|message| message.is_ok()) {}
    assert_eq!(list(&server, &watched).await, 200, "it was used up to now");
    assert_eq!(list(&server, &used).await, 401);
    // The server notices a moment after its client that the stream has ended.
    drop(stream);
    for _ in 0..100 {
        later(13).await;
        if list(&server, &watched).await == 401 {
            return;
        }
    }
    panic!("a stream that has ended is use");
}

/// A proxy in front asks for a password of its own: browsers send it with everything.
#[tokio::test]
async fn a_session_counts_though_the_browser_sends_a_password_for_a_proxy() {
    let server = Local::closed().await;
    let cookie = session(&server, WRITE).await;
    for proxy in ["Basic dXNlcjpwYXNz", "Digest username=\"user\"", "Negotiate abc", "basic dXNlcjpwYXNz"] {
        let asked = |path: &str| Http::new(server.address, "GET", path).header("Authorization", proxy);
        assert_eq!(asked("/api/incidents").header("Cookie", &cookie).send().await.status, 200, "{proxy}");
        let scope = asked("/api/session").header("Cookie", &cookie).send().await;
        assert_eq!(scope.json()["scope"], "write", "{proxy}");
        let headers = [("Cookie", &*cookie), ("Origin", &own(&server)), ("Authorization", proxy)];
        assert!(Client::with_headers(server.address, "", &headers).await.is_ok(), "{proxy}");
        let trigger = Http::trigger(server.address, BODY).header("Authorization", proxy);
        let trigger = trigger.header("Cookie", &cookie).origin(&own(&server)).send().await;
        assert_eq!(trigger.status, 202, "{proxy}: {}", trigger.body);
        // Without a session a page is the login page, and everything else is told what is missing.
        let page = asked("/").header("Accept", "text/html").send().await;
        assert!(page.status == 401 && page.body.contains("<form id=\"login\""), "{proxy}: {}", page.body);
        asked("/api/incidents").send().await.problem(401);
        let login = login(&server, READ).header("Authorization", proxy).send().await;
        assert_eq!(login.status, 200, "{proxy}");
    }
    let asked = || Http::new(server.address, "GET", "/api/incidents").header("Cookie", &cookie);
    // The proxy's beside the program's: the token counts. A wrong token is not made good by a session.
    let both = asked().header("Authorization", "Basic dXNlcjpwYXNz").bearer(READ).send().await;
    assert_eq!(both.status, 200);
    asked().bearer("wr0ng-0123456789abcdef").send().await.problem(401);
    asked().bearer(READ).bearer(WRITE).send().await.problem(400);
}

/// The page adds notes with its session: no other page can, and one token's sessions use up no other's share.
#[tokio::test]
async fn a_session_publishes_from_its_own_page_and_has_the_share_of_its_token() {
    let known = tokens(&[(Scope::Write, WRITE), (Scope::Write, OTHER), (Scope::Read, READ)]);
    let few = Options { tokens: known, publish_rate: 1, ..options() };
    let server = Local::with(few, Retention::default()).await;
    let (cookie, other) = (session(&server, WRITE).await, session(&server, OTHER).await);
    let send = |cookie: &str, origin: &str, id: u32| {
        let event = crate::publish::started(&format!("a{id}"), &id.to_string());
        let post = Http::new(server.address, "POST", "/api/events").header("Cookie", cookie);
        let post = post.header("Content-Type", "application/cloudevents+json").body(&event.to_string());
        let post = if origin.is_empty() { post } else { post.origin(origin) };
        async move { post.send().await }
    };
    send(&cookie, "", 0).await.problem(403);
    send(&cookie, "http://evil.example", 0).await.problem(403);
    send(&session(&server, READ).await, &own(&server), 0).await.problem(403);
    assert_eq!(server.journal_head(), 0);
    // A second's worth may be given back while they are sent.
    let mut answers = Vec::new();
    for id in 1..40 {
        answers.push(send(&cookie, &own(&server), id).await.status);
    }
    assert_eq!((answers[0], answers.contains(&429)), (200, true), "{answers:?}");
    let replies = [send(&other, &own(&server), 50).await, send(&other, &own(&server), 51).await];
    assert_eq!(replies.map(|reply| reply.status), [200, 200]);
}
