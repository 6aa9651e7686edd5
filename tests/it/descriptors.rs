//! Few descriptors: clients and waiting connections get shares of what the system allows, requests are answered all the
//! same, and nothing that strangers do fills the log.

use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpStream;

use crate::harness::{Client, Http, Raw, Running, Scratch, WRITE, get, incident, ms, soon};

/// A server with so few descriptors, and where it is.
fn limited(files: u64, args: &[&str]) -> (Running, SocketAddr) {
    let fixed = ["serve", "--port", "0", "--journal", "memory", "--admit-rate", "100000"];
    let mut server = incident(&[&fixed, args].concat()).limited(files).spawn();
    let address = ready(&mut server);
    (server, address)
}

fn ready(server: &mut Running) -> SocketAddr {
    let socket = server.says("WebSocket");
    server.says("Ready in");
    socket.rsplit("://").next().unwrap().trim_end_matches("/ws").parse().unwrap()
}

/// How many lines of a server's log have this text, after it was stopped.
fn lines(server: Running, text: &str) -> usize {
    server.signal("TERM");
    let ran = server.end();
    assert_eq!(ran.status, Some(0), "{}", ran.stderr);
    ran.stderr.lines().filter(|line| line.contains(text)).count()
}

#[tokio::test]
async fn silent_connections_leave_descriptors_for_requests() {
    // Longer than anything is waited for here: nothing but the eviction of silent connections helps.
    let (server, address) = limited(200, &["--request-deadline", "1h"]);
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(soon("a connection", TcpStream::connect(address)).await.unwrap());
    }
    for path in ["/healthz", "/readyz", "/metrics", "/api/incidents"] {
        assert_eq!(get(address, path).await.status, 200, "{path}");
    }
    let client = soon("a client's turn", Client::connect(address, "")).await;
    assert_eq!(client.opened.head, 0);
    drop((silent, client));
    assert!(lines(server, "cannot accept") <= 1);
}

#[tokio::test]
async fn clients_leave_descriptors_for_requests() {
    let (server, address) = limited(200, &[]);
    let (mut sockets, mut streams, mut refused) = (Vec::new(), Vec::new(), 0);
    for number in 0..150 {
        if number % 2 == 0 {
            match Client::with_headers(address, "", &[]).await {
                Ok(client) => sockets.push(client),
                Err(_) => refused += 1,
            }
        } else {
            let mut raw = Raw::connect(address).await;
            crate::harness::request(&mut raw, "", &[]).await;
            if raw.head().await.starts_with("HTTP/1.1 200") { streams.push(raw) } else { refused += 1 }
        }
    }
    assert!(sockets.len() + streams.len() >= 32 && refused >= 32, "{refused} refused");
    for path in ["/healthz", "/readyz", "/metrics", "/"] {
        assert_eq!(get(address, path).await.status, 200, "{path}");
    }
    let limit = crate::harness::Numbers::of(address).await.get("incident_clients_limit");
    assert!((32.0..150.0).contains(&limit), "{limit}");
    drop((sockets, streams));
    assert!(lines(server, "cannot accept") <= 1);
}

/// Neither do those that ask for much and take nothing.
#[tokio::test]
async fn answers_that_are_not_read_leave_descriptors_for_requests() {
    let (server, address) = limited(200, &["--write-deadline", "1h"]);
    let many = "GET /app.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(400);
    let mut deaf = Vec::new();
    for _ in 0..250 {
        let mut raw = Raw::narrow(address).await;
        // A part of it fits into the kernel's buffers.
        let _ = tokio::time::timeout(ms(20), raw.try_send(many.as_bytes())).await;
        deaf.push(raw);
    }
    for path in ["/healthz", "/readyz", "/metrics", "/"] {
        assert_eq!(get(address, path).await.status, 200, "{path}");
    }
    drop(deaf);
    assert!(lines(server, "cannot accept") <= 1);
}

#[test]
fn what_the_system_allows_is_told_at_the_start() {
    for (files, clients) in [(200, "--max-clients 10000"), (1_500, "--max-clients 10000")] {
        let mut server = incident(&["serve", "--port", "0", "--journal", "memory"]).limited(files).spawn();
        let line = server.says("open files");
        for text in [&files.to_string(), clients, "clients at once", "wait for a request", "ulimit -Hn"] {
            assert!(line.contains(text), "{text}: {line}");
        }
        server.says("Ready in");
    }
    let enough = ["serve", "--port", "0", "--journal", "memory", "--max-clients", "20"];
    let mut server = incident(&enough).limited(2_200).spawn();
    ready(&mut server);
    assert_eq!(lines(server, "open files"), 0);
}

/// It would never let a client in.
#[test]
fn a_server_with_too_few_descriptors_does_not_start() {
    for files in [25, 60] {
        let scratch = Scratch::new();
        let journal = scratch.path().join("journal.db").display().to_string();
        let ran = incident(&["serve", "--port", "0", "--journal", &journal]).limited(files).run();
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(3), ""), "{files}: {}", ran.stderr);
        for text in [&format!("only {files} open files are allowed"), "needs at least", "ulimit -n"] {
            assert!(ran.stderr.contains(text), "{text}: {}", ran.stderr);
        }
    }
}

#[tokio::test]
async fn a_server_that_is_out_of_descriptors_says_so_once() {
    // What it has open when it is idle, and almost nothing more: the limit falls while it runs.
    let (server, address) = limited(1_000, &["--request-deadline", "1h"]);
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.id())).unwrap().count();
    let (process, limit) = (server.id().to_string(), format!("--nofile={0}:{0}", open + 3));
    // `prlimit` (util-linux) is a part of every Linux.
    let lowered = std::process::Command::new("prlimit").args(["--pid", &process, &limit]).status().unwrap();
    assert!(lowered.success());
    let mut silent = Vec::new();
    for _ in 0..60 {
        silent.push(soon("a connection", TcpStream::connect(address)).await.unwrap());
    }
    assert_eq!(get(address, "/healthz").await.status, 200);
    drop(silent);
    assert_eq!(lines(server, "cannot accept"), 1);
}

#[tokio::test]
async fn wrong_tokens_from_many_addresses_do_not_fill_the_log() {
    let scratch = Scratch::new().with("tokens.txt", &format!("write {WRITE}\n"));
    let file = format!("{}/tokens.txt", scratch.text());
    let mut server =
        incident(&["serve", "--port", "0", "--journal", "memory", "--token-file", &file]).spawn();
    let address = ready(&mut server);
    for last in 2..60 {
        let guess = Http::new(address, "GET", "/api/incidents").bearer("wr0ng-0123456789abcdef");
        guess.from(IpAddr::from([127, 0, 0, last])).send().await.problem(401);
    }
    assert_eq!(lines(server, "wrong token"), 1);
}

/// Every line above debug in the parts that strangers reach, and why it can't fill a log. A new one is to be made with
/// `limited!`, or named here.
#[test]
fn every_log_line_that_strangers_can_cause_is_limited() {
    const FOLDERS: [&str; 5] = ["src/server", "src/hub", "src/connection", "src/delivery", "src/sse"];
    const KNOWN: [(&str, usize, &str); 9] = [
        ("src/server/door/accept.rs", 1, "behind Refusals::count"),
        ("src/server/http/middleware.rs", 1, "behind Refusals::count"),
        ("src/server/run.rs", 3, "once in the life of a server"),
        ("src/server/away.rs", 2, "every 15 s while the server is cut off"),
        ("src/server/shares.rs", 2, "once in the life of a server"),
        ("src/hub/mod.rs", 1, "when reading begins to fail, not again until it works"),
        ("src/connection/shards.rs", 1, "the process ends with it"),
        ("src/server/sinks/notes.rs", 2, "behind a limiter of each sink"),
        ("src/delivery/end.rs", 3, "behind EndLog's limiter"),
    ];
    let mut found = std::collections::BTreeMap::new();
    for folder in FOLDERS {
        for path in crate::tidy::files(folder, "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let count: usize = ["error", "warn", "info"]
                .map(|level| text.matches(&format!("tracing::{level}!(")).count())
                .iter()
                .sum();
            if count > 0 {
                found.insert(format!("{folder}/{}", crate::tidy::relative(&path, folder)), count);
            }
        }
    }
    let known: std::collections::BTreeMap<_, _> =
        KNOWN.iter().map(|(file, count, _)| ((*file).to_owned(), *count)).collect();
    assert_eq!(found, known);
}
