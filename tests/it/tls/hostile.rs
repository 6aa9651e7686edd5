//! Who connects and shakes no hands, or half, or sends what is no TLS.

use std::io::Write;

use incident::server::Options;
use rustls::ProtocolVersion;
use rustls::version::{TLS12, TLS13};
use tokio::io::AsyncWriteExt;

use super::{Authority, listener, local, up_to};
use crate::harness::{Local, Raw, masked, ms, options, soon, story};

/// What a handshake begins with, of a record that claims to be longer.
const HALF: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

/// The server is in order when a newcomer gets an event.
async fn still_serves(authority: &Authority, server: &Local) {
    let mut raw = listener(authority, server, "").await;
    let subject = format!("proof-{}", server.journal_head());
    let positions = server.append(story(&subject, 2)).await;
    soon("an event", up_to(&mut raw, positions[1])).await;
}

#[tokio::test]
async fn silence_and_half_a_handshake_end_at_the_deadline() {
    let authority = Authority::with_server();
    let server = local(&authority, Options { request_deadline: ms(300), ..options() }).await;
    let mut silent = Raw::connect(server.address).await;
    let mut half = Raw::connect(server.address).await;
    half.send(HALF).await;
    let mut idle = Raw::connect(server.address).await.encrypt(&authority.client()).await;
    let mut begun = Raw::connect(server.address).await.encrypt(&authority.client()).await;
    begun.send(b"GET /heal").await;
    for (what, raw) in
        [("silent", &mut silent), ("half", &mut half), ("idle", &mut idle), ("begun", &mut begun)]
    {
        assert_eq!(raw.rest().await, "", "{what}");
    }
    // A handshake that comes a byte at a time has no more time.
    let mut slow = Raw::connect(server.address).await;
    let trickle = async {
        for byte in HALF.iter().chain(std::iter::repeat(&0)) {
            if !slow.try_send(&[*byte]).await {
                return;
            }
            tokio::time::sleep(ms(20)).await;
        }
    };
    soon("the deadline of a handshake", trickle).await;
    still_serves(&authority, &server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_half_handshakes_keep_nobody_out_and_the_oldest_makes_room() {
    let authority = Authority::with_server();
    let options = Options { request_deadline: ms(600_000), admit_rate: 100_000, ..options() };
    let server = local(&authority, options).await;
    let mut half = Vec::new();
    for _ in 0..1_100 {
        let mut raw = Raw::connect(server.address).await;
        raw.send(HALF).await;
        half.push(raw);
    }
    assert_eq!(half.first_mut().unwrap().rest().await, "");
    still_serves(&authority, &server).await;
}

#[tokio::test]
async fn who_sends_what_is_no_tls_after_the_handshake_is_gone_and_nobody_else_notices() {
    let authority = Authority::with_server();
    let server = local(&authority, options()).await;
    let mut other = listener(&authority, &server, "").await;
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\x17\x03\x03\x00\x20nothing that was encrypted here.",
        b"\x16\x03\x03\xff\xff",
        b"\x15\x03\x03\x00\x02\x02\x28",
    ] {
        let mut open = listener(&authority, &server, "").await;
        let mut before = Raw::connect(server.address).await.encrypt(&authority.client()).await;
        for raw in [&mut open, &mut before] {
            raw.unwrapped().0.write_all(garbage).await.unwrap();
            // What was on its way, and the end.
            raw.rest().await;
        }
    }
    let positions = server.append(story("news", 2)).await;
    up_to(&mut other, positions[1]).await;
    still_serves(&authority, &server).await;
}

/// A record of one byte is two dozen on the way, and as much work as one of thousands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_a_byte_a_record_is_counted_by_what_comes_and_closed() {
    const MUCH: usize = 3 << 19;
    let authority = Authority::with_server();
    let server = local(&authority, Options { heartbeat: ms(600_000), message_rate: 1, ..options() }).await;
    let mut raw = listener(&authority, &server, "").await;
    let (tcp, tls) = raw.unwrapped();
    let fragments = [masked(0x01, b""), masked(0x00, b"").repeat(MUCH)].concat();
    let mut sent = 0;
    for piece in fragments.chunks(1_000) {
        for byte in piece {
            assert_eq!(tls.writer().write(&[*byte]).unwrap(), 1);
        }
        let mut records = Vec::new();
        while tls.wants_write() {
            sent += tls.write_tls(&mut records).unwrap();
        }
        // The close may overtake what is still being sent.
        if soon("room", tcp.write_all(&records)).await.is_err() || sent > MUCH {
            break;
        }
    }
    assert_eq!(raw.maybe_closed().await, Some(1008));
    still_serves(&authority, &server).await;
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_and_1_1_is_not() {
    let authority = Authority::with_server();
    let server = local(&authority, options()).await;
    for (version, known) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let config = authority.client_of(&[version]);
        let mut raw = Raw::connect(server.address).await.encrypt(&config).await.upgrade("").await;
        assert_eq!(raw.unwrapped().1.protocol_version(), Some(known));
        let positions = server.append(story(&format!("{known:?}").replace('_', "-"), 2)).await;
        up_to(&mut raw, positions[1]).await;
    }
    // A hello of TLS 1.1: its version, a random number, no session, two suites, no compression; the extension has a
    // signature.
    let extension = b"\x00\x08\x00\x0d\x00\x04\x00\x02\x04\x03";
    let suites = b"\x00\x04\xc0\x13\x00\x2f";
    let body = [&b"\x03\x02"[..], &[7; 32], b"\x00", suites, b"\x01\x00", extension].concat();
    let handshake = [&[1, 0, 0, body.len() as u8][..], &body].concat();
    let record = [&[0x16, 3, 1, 0, handshake.len() as u8][..], &handshake].concat();
    let mut raw = Raw::connect(server.address).await;
    raw.send(&record).await;
    // A fatal alert, `protocol_version`.
    assert_eq!(raw.rest().await.as_bytes(), b"\x15\x03\x03\x00\x02\x02\x46");
}

#[tokio::test]
async fn http_1_1_is_what_it_offers() {
    let authority = Authority::with_server();
    let server = local(&authority, options()).await;
    let mut config = authority.client().as_ref().clone();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut raw = Raw::connect(server.address).await.encrypt(&std::sync::Arc::new(config)).await;
    assert_eq!(raw.unwrapped().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}
