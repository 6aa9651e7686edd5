//! Sessions of browsers on several servers over one stream of a real nats-server: whoever has logged in on one is logged in on all,
//! and whatever ends a session ends it on all.

use std::fs;
use std::path::PathBuf;

use futures_util::{FutureExt, StreamExt};

use crate::harness::nats::{NatsServer, at};
use crate::harness::{Client, Http, Proxy, READ, Reply, Scratch, Serving, WRITE, ms, soon};

/// Servers over one stream, each with a token file of its own.
pub struct Servers {
    folder: Scratch,
    journal: String,
}

impl Servers {
    fn new() -> Self {
        Self::over(NatsServer::shared(), &NatsServer::fresh_name())
    }

    pub fn over(nats: &NatsServer, stream: &str) -> Self {
        Self::at(&nats.location(stream).display().to_string())
    }

    pub fn at(journal: &str) -> Self {
        Self { folder: Scratch::new(), journal: journal.to_owned() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, tokens: &str) {
        // Whole at once, as an operator's tool does it.
        let new = self.file(&format!("{name}.new"));
        fs::write(&new, tokens).unwrap();
        fs::rename(new, self.file(name)).unwrap();
    }

    pub fn start(&self, name: &str) -> Serving {
        let file = self.file(name).display().to_string();
        Serving::with(&["--journal", &self.journal, "--token-file", &file, "--heartbeat", "200ms"])
    }
}

pub const BOTH: &str = "read r3ad-0123456789abcdef\nwrite wr1te-0123456789abcdef\n";
pub const NO_WRITE: &str = "read r3ad-0123456789abcdef\n";

fn own(server: &Serving) -> String {
    format!("http://{}", server.address())
}

pub async fn log_in(server: &Serving, token: &str) -> Reply {
    let body = format!("{{\"token\":\"{token}\"}}");
    loop {
        let request = Http::new(server.address(), "POST", "/login").origin(&own(server));
        let reply = request.header("Content-Type", "application/json").body(&body).send().await;
        if reply.status != 429 {
            assert_eq!(reply.status, 200, "{reply:?}");
            return reply;
        }
        // A fast machine logs in more often than one address may.
        tokio::time::sleep(ms(200)).await;
    }
}

/// What a browser with this cookie gets of a server.
pub async fn scope(server: &Serving, cookie: &str) -> String {
    let request = Http::new(server.address(), "GET", "/api/session").header("Cookie", cookie);
    let reply = request.send().await;
    if reply.status == 503 {
        assert_eq!(reply.header("retry-after"), "5", "{reply:?}");
        return "not known".to_owned();
    }
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["scope"].as_str().unwrap_or("none").to_owned()
}

pub async fn becomes(server: &Serving, cookie: &str, wanted: &str) {
    let change = async {
        while scope(server, cookie).await != wanted {
            tokio::time::sleep(ms(20)).await;
        }
    };
    soon(wanted, change).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_login_on_one_server_is_one_on_all_and_so_is_a_logout() {
    let servers = Servers::new();
    servers.write("tokens", BOTH);
    let (a, b) = (servers.start("tokens"), servers.start("tokens"));
    let (reader, writer) = (log_in(&a, READ).await, log_in(&a, WRITE).await);
    let (reader, writer) = (reader.cookie(), writer.cookie());
    becomes(&b, reader, "read").await;
    becomes(&b, writer, "write").await;
    // A stream on b that the session of a has opened.
    let headers = [("Cookie", writer), ("Origin", &own(&b))];
    let mut stream = Client::with_headers(b.address(), "", &headers).await.unwrap();
    assert_eq!(log_out(&a, writer).await.status, 204);
    becomes(&b, writer, "none").await;
    let (_, reason) = stream.closed().await;
    assert!(reason.contains("session is no longer valid"), "{reason}");
    assert_eq!(scope(&b, reader).await, "read", "the other session goes on");
    // A server that starts later knows it too, from its first request on.
    drop(a);
    let c = servers.start("tokens");
    assert_eq!((scope(&c, reader).await, scope(&c, writer).await), ("read".to_owned(), "none".to_owned()));
    // An id that no server has given means nothing.
    let forged = format!("{}={}", reader.split('=').next().unwrap(), "0".repeat(64));
    assert_eq!(scope(&c, &forged).await, "none");
}

pub async fn log_out(server: &Serving, cookie: &str) -> Reply {
    Http::new(server.address(), "POST", "/logout").origin(&own(server)).header("Cookie", cookie).send().await
}

/// A load balancer may send a browser's next request to another server than its log-in.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_login_counts_at_once_on_every_server_and_so_does_a_logout_on_any() {
    let servers = Servers::new();
    servers.write("tokens", BOTH);
    let (a, b) = (servers.start("tokens"), servers.start("tokens"));
    for _ in 0..5 {
        let reader = log_in(&a, READ).await;
        let request = Http::new(b.address(), "GET", "/api/incidents").header("Cookie", reader.cookie());
        assert_eq!(request.send().await.status, 200);
        // A server that has not heard of the session ends it.
        let writer = log_in(&a, WRITE).await;
        let out = log_out(&b, writer.cookie()).await;
        assert_eq!(out.status, 204, "{out:?}");
        becomes(&a, writer.cookie(), "none").await;
        assert_eq!(scope(&b, writer.cookie()).await, "none");
    }
    // A log-in replaces the session of its browser, also one of another server.
    let old = log_in(&a, READ).await;
    let body = format!("{{\"token\":\"{READ}\"}}");
    let request = Http::new(b.address(), "POST", "/login").origin(&own(&b)).header("Cookie", old.cookie());
    let new = request.header("Content-Type", "application/json").body(&body).send().await;
    assert_eq!((new.status, scope(&a, new.cookie()).await.as_str()), (200, "read"));
    becomes(&a, old.cookie(), "none").await;
}

/// While tokens are rolled out, server after server.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_logout_on_a_server_that_does_not_have_the_token_ends_the_session() {
    let servers = Servers::new();
    servers.write("a", BOTH);
    servers.write("b", NO_WRITE);
    let (a, b) = (servers.start("a"), servers.start("b"));
    for is_known in [false, true] {
        let writer = log_in(&a, WRITE).await;
        if is_known {
            // The note of the writer is the older one.
            assert_eq!(scope(&b, log_in(&a, READ).await.cookie()).await, "read");
        }
        assert_eq!(log_out(&b, writer.cookie()).await.status, 204);
        becomes(&a, writer.cookie(), "none").await;
    }
}

/// Nobody else would end the session. The browser forgets it all the same.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_logout_of_which_the_others_cannot_be_told_says_so_and_reaches_them_later() {
    let (nats, name) = (NatsServer::shared(), NatsServer::fresh_name());
    let proxy = Proxy::to(([127, 0, 0, 1], nats.port).into()).await;
    let behind = Servers::at(&at(proxy.address.port(), &name).display().to_string());
    let servers = Servers::over(nats, &name);
    servers.write("tokens", BOTH);
    behind.write("tokens", BOTH);
    let (a, b) = (behind.start("tokens"), servers.start("tokens"));
    let writer = log_in(&a, WRITE).await;
    let writer = writer.cookie();
    assert_eq!(scope(&b, writer).await, "write");
    proxy.close();
    // Also if it is sent again.
    for _ in 0..2 {
        let out = log_out(&a, writer).await;
        assert_eq!((out.status, out.header("retry-after")), (503, "5"), "{out:?}");
        assert!(out.header("set-cookie").contains("; Max-Age=0"), "{out:?}");
        assert!(out.json()["detail"].as_str().unwrap().contains("may still accept the session"), "{out:?}");
        assert_eq!(scope(&a, writer).await, "none", "it has ended here");
    }
    // Whether there is such a session can't be said meanwhile, and its user can log in.
    let forged = format!("{}={}", writer.split('=').next().unwrap(), "1".repeat(64));
    assert_eq!(scope(&a, &forged).await, "not known");
    assert_eq!(log_out(&a, &forged).await.status, 503);
    let page = Http::new(a.address(), "GET", "/").header("Cookie", &forged).header("Accept", "text/html");
    let page = page.send().await;
    assert_eq!((page.status, page.header("retry-after")), (503, "5"), "{page:?}");
    assert!(page.body.contains("login.js"), "{page:?}");
    let reader = log_in(&a, READ).await;
    assert_eq!(scope(&a, reader.cookie()).await, "read");
    assert_eq!(scope(&b, writer).await, "write");
    proxy.open();
    becomes(&b, writer, "none").await;
    becomes(&b, reader.cookie(), "read").await;
    // A machine with much to do may not hear of the others within the second that a log-out waits.
    let again = async { while log_out(&a, writer).await.status == 503 {} };
    soon("a log-out that the others know", again).await;
    assert_eq!(log_out(&a, writer).await.status, 204);
    assert_eq!(scope(&a, writer).await, "none");
}

/// A page asks for a hundred files and answers. Its token may be one that this server does not have yet.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_session_that_a_server_does_not_take_is_looked_for_once() {
    let name = NatsServer::fresh_name();
    let servers = Servers::over(NatsServer::shared(), &name);
    servers.write("a", BOTH);
    servers.write("b", NO_WRITE);
    let (a, b) = (servers.start("a"), servers.start("b"));
    let writer = log_in(&a, WRITE).await;
    let writer = writer.cookie();
    let reader = log_in(&a, READ).await;
    assert_eq!(scope(&b, reader.cookie()).await, "read");
    drop(a);
    assert_eq!(scope(&b, writer).await, "none");
    let client = async_nats::connect(format!("127.0.0.1:{}", NatsServer::shared().port)).await.unwrap();
    let mut asked = client.subscribe(format!("$JS.API.STREAM.INFO.{name}_ctl")).await.unwrap();
    client.flush().await.unwrap();
    let began = std::time::Instant::now();
    for _ in 0..30 {
        assert_eq!(scope(&b, writer).await, "none");
    }
    let passed = began.elapsed();
    client.flush().await.unwrap();
    let mut questions = 0;
    while let Some(Some(_)) = asked.next().now_or_never() {
        questions += 1;
    }
    // The server looks twice a second on its own, and asks other things of the stream once a second.
    let most = passed.as_millis() / 500 + passed.as_millis() / 1_000 + 8;
    assert!(questions <= most, "{questions} in {passed:?}");
    // The token comes, and with it the session.
    servers.write("b", BOTH);
    becomes(&b, writer, "write").await;
}

/// However many they send: each server asks for all of them ten times a second at most.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn strangers_who_make_sessions_up_share_the_questions_to_nats() {
    let name = NatsServer::fresh_name();
    let servers = Servers::over(NatsServer::shared(), &name);
    servers.write("tokens", BOTH);
    let a = servers.start("tokens");
    let cookie = log_in(&a, READ).await.cookie().split('=').next().unwrap().to_owned();
    let client = async_nats::connect(format!("127.0.0.1:{}", NatsServer::shared().port)).await.unwrap();
    let mut asked = client.subscribe(format!("$JS.API.STREAM.*.{name}_ctl")).await.unwrap();
    let mut written = client.subscribe(format!("incident.{name}.ctl.note.*")).await.unwrap();
    client.flush().await.unwrap();
    let began = std::time::Instant::now();
    let strangers = (0..20).map(|stranger| {
        let (address, own, cookie) = (a.address(), own(&a), cookie.clone());
        tokio::spawn(async move {
            for round in 0..10 {
                let cookie = format!("{cookie}={:064x}", stranger * 100 + round);
                let request = Http::new(address, "GET", "/api/incidents").header("Cookie", &cookie);
                assert_eq!(request.send().await.status, 401);
                let request = Http::new(address, "POST", "/logout").header("Cookie", &cookie);
                assert_eq!(request.origin(&own).send().await.status, 204);
            }
        })
    });
    for stranger in strangers.collect::<Vec<_>>() {
        soon("the answers to a stranger", stranger).await.unwrap();
    }
    let passed = began.elapsed();
    client.flush().await.unwrap();
    let mut questions = 0;
    while let Some(Some(_)) = asked.next().now_or_never() {
        questions += 1;
    }
    // What the server asks on its own comes to them.
    let most = passed.as_millis() / 100 + passed.as_millis() / 1_000 + 5;
    assert!((1..=most).contains(&questions), "{questions} in {passed:?}");
    assert!(written.next().now_or_never().is_none(), "a stranger has written something");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_token_that_is_removed_on_one_server_ends_its_sessions_on_all() {
    let servers = Servers::new();
    servers.write("a", BOTH);
    servers.write("b", BOTH);
    let (a, b) = (servers.start("a"), servers.start("b"));
    let (reader, writer) = (log_in(&b, READ).await, log_in(&b, WRITE).await);
    let (reader, writer) = (reader.cookie(), writer.cookie());
    becomes(&a, writer, "write").await;
    servers.write("a", NO_WRITE);
    becomes(&a, writer, "none").await;
    becomes(&b, writer, "none").await;
    assert_eq!((scope(&a, reader).await, scope(&b, reader).await), ("read".to_owned(), "read".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn a_session_counts_only_where_its_token_does() {
    let servers = Servers::new();
    servers.write("a", BOTH);
    servers.write("b", NO_WRITE);
    let (a, b) = (servers.start("a"), servers.start("b"));
    let (reader, writer) = (log_in(&a, READ).await, log_in(&a, WRITE).await);
    let (reader, writer) = (reader.cookie(), writer.cookie());
    // The note of the writer is the newer one.
    let other = log_in(&a, READ).await;
    becomes(&b, other.cookie(), "read").await;
    assert_eq!((scope(&b, reader).await, scope(&b, writer).await), ("read".to_owned(), "none".to_owned()));
    // Not knowing a token yet ends nothing elsewhere, and the session counts when the token comes.
    assert_eq!(scope(&a, writer).await, "write");
    servers.write("b", BOTH);
    becomes(&b, writer, "write").await;
}

/// Each log-in beyond the limit pushes out a session, and leaves a note that it has ended.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: ./tests/run installs it and runs this"]
async fn however_often_somebody_logs_in_the_stream_stays_small_and_the_servers_agree() {
    const AT_ONCE: usize = 6;
    const EACH: usize = 580;
    let name = NatsServer::fresh_name();
    let servers = Servers::over(NatsServer::shared(), &name);
    servers.write("tokens", BOTH);
    let all = [servers.start("tokens"), servers.start("tokens"), servers.start("tokens")];
    let writer = log_in(&all[0], WRITE).await;
    let logins = (0..AT_ONCE).map(|client| {
        // Nobody logs in on the third.
        let (address, own) = (all[client % 2].address(), own(&all[client % 2]));
        tokio::spawn(async move {
            let mut cookies = Vec::new();
            for number in 0..EACH {
                let from = [127, 0, 2 + client as u8, 1 + (number / 50) as u8].into();
                let request = Http::new(address, "POST", "/login").origin(&own).from(from);
                let request = request.header("Content-Type", "application/json");
                let reply = request.body(&format!("{{\"token\":\"{READ}\"}}")).send().await;
                assert_eq!(reply.status, 200, "{reply:?}");
                cookies.push(reply.cookie().to_owned());
            }
            cookies
        })
    });
    let mut cookies = Vec::new();
    for logins in logins.collect::<Vec<_>>() {
        cookies.push(logins.await.unwrap());
    }
    let [a, b, c] = &all;
    // The newest ones of each client are in on every server, the oldest ones on none.
    for cookies in &cookies {
        for cookie in cookies[EACH - 60..].iter().step_by(10).chain(cookies.last()) {
            let scopes = [scope(a, cookie).await, scope(b, cookie).await, scope(c, cookie).await];
            assert_eq!(scopes, ["read"; 3]);
        }
        for cookie in cookies[..100].iter().step_by(20) {
            for server in &all {
                becomes(server, cookie, "none").await;
            }
        }
    }
    for server in &all {
        assert_eq!(scope(server, writer.cookie()).await, "write");
    }
    // Of 3,481 sessions 1,001 are open. Some notes of others wait to be removed together, and the stream has other things.
    let client = async_nats::connect(format!("127.0.0.1:{}", NatsServer::shared().port)).await.unwrap();
    let small = async {
        loop {
            let info = client.request(format!("$JS.API.STREAM.INFO.{name}_ctl"), "".into()).await.unwrap();
            let info: serde_json::Value = serde_json::from_slice(&info.payload).unwrap();
            if info["state"]["messages"].as_u64().unwrap() <= 1_001 + 1_000 + 500 + 30 {
                return;
            }
            tokio::time::sleep(ms(100)).await;
        }
    };
    soon("the notes that are too many are removed", small).await;
    // A server that starts now has the same sessions.
    let late = servers.start("tokens");
    let last = cookies[0].last().unwrap();
    assert_eq!(
        (scope(&late, last).await, scope(&late, &cookies[0][0]).await),
        ("read".to_owned(), "none".to_owned())
    );
}
