//! Many sockets that say nothing, little or too much: the server's memory is bounded, and who speaks is served.

use std::io::ErrorKind;

use incident::journal::Retention;
use incident::server::Options;
use tokio::net::TcpStream;

use crate::harness::{Client, Http, Local, Raw, Serving, get, masked, ms, options, soon, story};

/// Resident memory of a process in KiB.
pub fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_sockets_that_say_nothing_keep_nobody_out() {
    const SILENT: usize = 10_000;
    rlimit::increase_nofile_limit(SILENT as u64 + 2_000).unwrap();
    let server = Serving::with(&["--journal", "memory", "--admit-rate", "100000"]);
    let before = resident(server.id());
    let mut silent = Vec::with_capacity(SILENT);
    for _ in 0..SILENT {
        silent.push(soon("a connection", TcpStream::connect(server.address())).await.unwrap());
    }
    let client = soon("a client's turn", Client::connect(server.address(), "")).await;
    assert_eq!(client.opened.head, 0);
    assert_eq!(get(server.address(), "/readyz").await.status, 200);
    let grown = resident(server.id()).saturating_sub(before);
    assert!(grown < 4 * SILENT as u64, "{grown} KiB for sockets that say nothing");
    // Who was silent longest made room.
    let first = silent.first().unwrap();
    soon("the first to be closed", first.readable()).await.unwrap();
    let closed = first.try_read(&mut [0; 1]);
    assert!(
        matches!(&closed, Ok(0)) || closed.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_that_come_a_byte_at_a_time_keep_nobody_out_and_end() {
    let options = Options { request_deadline: ms(400), admit_rate: 100_000, ..options() };
    let server = Local::with(options, Retention::default()).await;
    let mut slow = Vec::new();
    for _ in 0..1_500 {
        let mut raw = Raw::connect(server.address).await;
        raw.send(b"G").await;
        slow.push(raw);
    }
    let mut last = slow.pop().unwrap();
    let trickle = async {
        for byte in b"ET /healthz HTTP/1.1\r\nX-Slow: ".iter().cycle() {
            if !last.try_send(&[*byte]).await {
                return;
            }
            tokio::time::sleep(ms(20)).await;
        }
    };
    let served = async {
        for _ in 0..10 {
            assert_eq!(get(server.address, "/healthz").await.status, 200);
            drop(server.client().await);
        }
    };
    let ((), ()) = tokio::join!(soon("the deadline of a head", trickle), soon("the others", served));
}

#[tokio::test]
async fn who_comes_too_fast_is_told_429_and_let_in_later() {
    let server = Local::with(Options { admit_rate: 5, ..options() }, Retention::default()).await;
    // Two seconds' worth may come at once.
    let mut refused = 0;
    for _ in 0..30 {
        let reply = get(server.address, "/healthz").await;
        match reply.status {
            200 => {}
            429 => {
                assert_eq!(reply.header("retry-after"), "1");
                refused += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!((15..=20).contains(&refused), "{refused} of 30");
    soon("its turn", async { while get(server.address, "/healthz").await.status != 200 {} }).await;
}

#[tokio::test]
async fn a_head_of_a_mebibyte_is_refused_before_it_is_all_there() {
    let server = Local::start().await;
    let mut raw = Raw::connect(server.address).await;
    raw.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ").await;
    let mut sent = 0;
    while sent < 1 << 20 && raw.try_send(&[b'x'; 4_096]).await {
        sent += 4_096;
    }
    let answer = raw.rest().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(get(server.address, "/healthz").await.status, 200);
}

#[tokio::test]
async fn how_large_a_head_may_be_can_be_said() {
    let long = "x".repeat(20_000);
    for (header_bytes, status) in [(16 * 1024, 431), (64 * 1024, 200)] {
        let server = Local::with(Options { header_bytes, ..options() }, Retention::default()).await;
        let reply = Http::new(server.address, "GET", "/healthz").header("X-Long", &long).send().await;
        assert_eq!(reply.status, status);
    }
}

/// What a client sends that never becomes a message is counted too.
#[tokio::test]
async fn a_flood_of_pings_and_of_fragments_is_closed_with_1008() {
    let server = Local::start().await;
    let pings = masked(0x89, b"?").repeat(200);
    let mut first = masked(0x01, b"");
    let empty = masked(0x00, b"").repeat(2_000);
    for (what, piece) in [
        ("pings", pings),
        ("fragments", {
            first.extend(empty);
            first
        }),
    ] {
        let mut raw = Raw::connect(server.address).await.upgrade("").await;
        let piece =
            if what == "fragments" { [piece, masked(0x00, b"").repeat(200_000)].concat() } else { piece };
        let mut sent = 0;
        while sent < 4 << 20 && raw.try_send(&piece).await {
            sent += piece.len();
        }
        // The close overtakes what is still being sent, or the socket is reset over it.
        let code = raw.maybe_closed().await;
        assert!(code.is_none_or(|code| code == 1008), "{what}: {code:?}");
    }
    let mut client = server.client().await;
    server.append(story("proof", 2)).await;
    client.up_to(2).await;
}

/// Bytes that one client sends as fast as it can hold up nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_talks_all_the_time_does_not_hold_up_who_listens() {
    let server = Local::with(Options { message_rate: 1_000_000, ..options() }, Retention::default()).await;
    let mut listeners = Vec::new();
    for _ in 0..4 {
        listeners.push(server.client().await);
    }
    let mut talkers = Vec::new();
    for _ in 0..4 {
        let mut raw = Raw::connect(server.address).await.upgrade("").await;
        talkers.push(tokio::spawn(async move {
            let chatter = masked(0x81, b"blah").repeat(1_000);
            while raw.try_send(&chatter).await {}
        }));
    }
    for subject in 0..20 {
        let positions = server.append(story(&format!("news-{subject}"), 2)).await;
        for listener in &mut listeners {
            soon("the news", listener.up_to(positions[1])).await;
        }
    }
    for talker in talkers {
        talker.abort();
    }
}

#[test]
fn a_limit_of_open_files_that_is_too_low_is_told() {
    let mut run =
        crate::harness::incident(&["serve", "--port", "0", "--journal", "memory"]).limited(600).spawn();
    let line = run.says("open files");
    assert!(
        line.contains("600") && line.contains("--max-clients 10000") && line.contains("ulimit"),
        "{line}"
    );
    run.says("Ready in");
}
