//! Listeners over TLS that do not read, or slowly.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use incident::contract::Position;
use incident::server::Options;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::{Authority, listener, local, position_of, serving, up_to};
use crate::harness::{Local, Raw, action, metrics, ms, options, soon, started};

/// Whether one more client is let in now. Asks at a humane rate.
async fn place_is_free(authority: &Authority, server: &Local) -> bool {
    tokio::time::sleep(ms(20)).await;
    let mut raw = Raw::connect(server.address).await.encrypt(&authority.client()).await;
    raw.ask("").await.starts_with("HTTP/1.1 101 ")
}

#[tokio::test]
async fn who_reads_nothing_is_closed_with_4008_and_resumes_while_others_notice_nothing() {
    let authority = Authority::with_server();
    let options = Options { write_deadline: ms(500), max_clients: 2, ..options() };
    let server = local(&authority, options).await;
    let narrow = Raw::narrow(server.address).await.encrypt(&authority.client()).await;
    let mut sleeper = narrow.upgrade("").await;
    let mut reader = listener(&authority, &server, "").await;
    let reading = tokio::spawn(async move {
        let texts = up_to(&mut reader, 5_999).await;
        up_to(&mut reader, 6_000).await;
        texts
    });
    let filler = "x".repeat(1_000);
    server.append(vec![started("fill")]).await;
    for batch in (2..6_000).collect::<Vec<u64>>().chunks(500) {
        server.append(batch.iter().map(|index| action("fill", *index, &filler)).collect()).await;
    }
    // Two may be here: a third gets in when the server has given the sleeper up. Nothing was read until then.
    soon("the sleeper's place", async { while !place_is_free(&authority, &server).await {} }).await;
    let (texts, code, reason) = sleeper.closed().await;
    assert_eq!(code, 4008, "{reason}");
    let seen: Vec<String> = texts.into_iter().filter(|text| position_of(text).is_some()).collect();
    let got = position_of(seen.last().expect("what the buffers held")).unwrap();
    assert!(got.n < 5_999, "it did not get everything");
    let named: Position = reason.rsplit(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{reason:?}"));
    assert_eq!(named, got, "the reason names the last event that was sent whole");

    // The place of the one that asked may not be free again at once.
    let after = format!("?after={named}");
    let mut back = soon("a place", async {
        loop {
            tokio::time::sleep(ms(20)).await;
            let mut raw = Raw::connect(server.address).await.encrypt(&authority.client()).await;
            if raw.ask(&after).await.starts_with("HTTP/1.1 101 ") {
                break raw;
            }
        }
    })
    .await;
    let missed = up_to(&mut back, 5_999).await;
    server.append(vec![metrics("fill", 6_000)]).await;
    let all = soon("the reader", reading).await.unwrap();
    assert_eq!(all.len(), 5_999);
    assert!(seen.into_iter().chain(missed).eq(all), "no gap, no repeat");
}

/// A socket of which every read gives one byte.
struct Trickle(TcpStream);

impl AsyncRead for Trickle {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        let read = Pin::new(&mut self.0).poll_read(context, &mut one);
        buffer.put_slice(one.filled());
        read
    }
}

impl AsyncWrite for Trickle {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_a_byte_at_a_time_gets_everything_in_order() {
    const EVENTS: u64 = 400;
    let authority = Authority::with_server();
    let server = local(&authority, options()).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let tcp = Trickle(socket.connect(server.address).await.unwrap());
    let connector = TlsConnector::from(authority.client());
    let tls = soon("TLS", connector.connect(server.address.ip().into(), tcp)).await.unwrap();
    let url = format!("wss://{}/ws", server.address);
    let (mut socket, _) =
        soon("the handshake", tokio_tungstenite::client_async(url, Box::new(tls))).await.unwrap();
    let filler = "x".repeat(600);
    server.append(vec![started("fill")]).await;
    for batch in (2..=EVENTS).collect::<Vec<u64>>().chunks(100) {
        server.append(batch.iter().map(|index| action("fill", *index, &filler)).collect()).await;
    }
    let mut next = 1;
    while next <= EVENTS {
        let message = soon("a message", socket.next()).await.unwrap().unwrap();
        let Ok(text) = message.to_text() else { panic!("{message:?}") };
        if let Some(position) = message.is_text().then(|| position_of(text)).flatten() {
            assert_eq!(position.n, next);
            next += 1;
        }
    }
}

/// What TLS takes at once is less than what is new: that is no full socket, of which the system would tell.
#[tokio::test]
async fn a_burst_of_large_events_does_not_wait_for_a_heartbeat() {
    let authority = Authority::with_server();
    let server = local(&authority, Options { heartbeat: ms(600_000), ..options() }).await;
    let mut raw = listener(&authority, &server, "").await;
    let large = "x".repeat(60_000);
    server.append(vec![started("a")]).await;
    up_to(&mut raw, 1).await;
    for round in 0..5 {
        let first = 2 + round * 4;
        server.append((first..first + 4).map(|index| action("a", index, &large)).collect()).await;
        up_to(&mut raw, first + 3).await;
    }
}

/// Resident memory of a process in KiB.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_nothing_costs_a_record_however_much_is_sent() {
    const SLEEPERS: u64 = 300;
    let authority = Authority::with_server();
    let ca = authority.file("ca.pem");
    let args = ["--journal", "memory", "--write-deadline", "10m", "--heartbeat", "10m", "--speed", "1000"];
    let server = serving(&authority, "server", &args);
    let config = authority.client();
    let mut sleepers = Vec::new();
    for _ in 0..SLEEPERS {
        let narrow = Raw::narrow(server.address()).await.encrypt(&config).await;
        sleepers.push(narrow.upgrade("").await);
    }
    let mut reader = Raw::connect(server.address()).await.encrypt(&config).await.upgrade("").await;
    let before = resident(server.id());
    let mut position = 0;
    let mut most = 0;
    for _ in 0..20 {
        let ran = server.incident(&["trigger", "database-outage", "--cacert", &ca]).run();
        assert_eq!(ran.status, Some(0), "{ran:?}");
        position += 108;
        up_to(&mut reader, position).await;
        most = most.max(resident(server.id()).saturating_sub(before));
    }
    // What is kept of the stream is about 2 MiB of it.
    assert!(most < SLEEPERS * 20 + 4 * 1024, "{most} KiB for {SLEEPERS} that read nothing");
    let first = sleepers.first_mut().unwrap();
    assert_eq!(up_to(first, position).await.len() as u64, position, "and nothing of it is lost");
}
