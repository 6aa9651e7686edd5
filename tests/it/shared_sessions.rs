//! Sessions of browsers on several servers over one stream of a real nats-server: whoever has logged in on one is logged in on all,
//! and whatever ends a session ends it on all.

use std::fs;
use std::path::PathBuf;

use crate::harness::nats::NatsServer;
use crate::harness::{Client, Http, READ, Reply, Scratch, Serving, WRITE, ms, soon};

/// Servers over one stream, each with a token file of its own.
struct Servers {
    folder: Scratch,
    journal: String,
}

impl Servers {
    fn new() -> Self {
        let journal = NatsServer::shared().location(&NatsServer::fresh_name()).display().to_string();
        Self { folder: Scratch::new(), journal }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, tokens: &str) {
        // Whole at once, as an operator's tool does it.
        let new = self.file(&format!("{name}.new"));
        fs::write(&new, tokens).unwrap();
        fs::rename(new, self.file(name)).unwrap();
    }

    fn start(&self, name: &str) -> Serving {
        let file = self.file(name).display().to_string();
        Serving::with(&["--journal", &self.journal, "--token-file", &file, "--heartbeat", "200ms"])
    }
}

const BOTH: &str = "read r3ad-0123456789abcdef\nwrite wr1te-0123456789abcdef\n";
const NO_WRITE: &str = "read r3ad-0123456789abcdef\n";

fn own(server: &Serving) -> String {
    format!("http://{}", server.address())
}

async fn log_in(server: &Serving, token: &str) -> Reply {
    let body = format!("{{\"token\":\"{token}\"}}");
    let request = Http::new(server.address(), "POST", "/login").origin(&own(server));
    let reply = request.header("Content-Type", "application/json").body(&body).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply
}

/// What a browser with this cookie gets of a server.
async fn scope(server: &Serving, cookie: &str) -> String {
    let request = Http::new(server.address(), "GET", "/api/session").header("Cookie", cookie);
    request.send().await.json()["scope"].as_str().unwrap_or("none").to_owned()
}

async fn becomes(server: &Serving, cookie: &str, wanted: &str) {
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
    let out =
        Http::new(a.address(), "POST", "/logout").origin(&own(&a)).header("Cookie", writer).send().await;
    assert_eq!(out.status, 204, "{out:?}");
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
