//! Bodies that are compressed, and bodies that would become huge.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{action, places, post, publish, refusal, started};
use crate::harness::{Http, Local, Reply};

/// A text as `gzip -9` makes it.
pub fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

async fn encoded(server: &Local, encoding: &str, body: &[u8]) -> Reply {
    let request =
        Http::new(server.address, "POST", "/api/events").header("Content-Type", "application/x-ndjson");
    request.header("Content-Encoding", encoding).bytes(body).send().await
}

#[tokio::test]
async fn a_body_may_be_gzipped_and_is_the_same_event() {
    let server = Local::start().await;
    let (first, second) = (started("a", "1"), action("a", "2", "looks"));
    let body = gzip(format!("{first}\n{second}\n").as_bytes());
    assert_eq!(places(&encoded(&server, "gzip", &body).await), [(1, 1, false), (2, 2, false)]);
    assert_eq!(places(&encoded(&server, "X-GZIP", &body).await), [(1, 1, true), (2, 2, true)]);
    assert_eq!(places(&publish(server.address, &[first, second]).await), [(1, 1, true), (2, 2, true)]);
    let plain = post(server.address, "application/x-ndjson", &action("a", "3", "looks").to_string());
    assert_eq!(places(&plain.header("Content-Encoding", "identity").send().await), [(3, 3, false)]);
}

/// The limit is the one of the text, however small the body is. What lies behind it in the body is not even gzip.
#[tokio::test]
async fn a_body_that_would_become_huge_is_refused_at_the_limit() {
    let server = Local::start().await;
    let line = action("a", "2", &"x".repeat(60_000)).to_string() + "\n";
    for (copies, status) in [(17, 422), (18, 413)] {
        let reply = encoded(&server, "gzip", &gzip(line.repeat(copies).as_bytes())).await;
        assert_eq!(reply.status, status, "{copies} copies: {}", reply.body);
    }
    let mut bomb = gzip(&vec![b' '; 256 * 1024 * 1024]);
    assert!(bomb.len() < 512 * 1024, "{}", bomb.len());
    let half = bomb.len() / 2;
    bomb[half..].fill(0xff);
    let reply = encoded(&server, "gzip", &bomb).await;
    assert_eq!((reply.status, refusal(&reply).0.as_str()), (413, "too-large"));
    assert_eq!(server.journal_head(), 0);
}

#[tokio::test]
async fn other_encodings_and_broken_ones_are_told_what_is_known() {
    let server = Local::start().await;
    let whole = gzip(started("a", "1").to_string().as_bytes());
    let plain = started("a", "1").to_string();
    for (encoding, body) in [
        ("br", whole.as_slice()),
        ("deflate", &whole),
        ("gzip, gzip", &whole),
        ("gzip", plain.as_bytes()),
        ("gzip", &whole[..whole.len() - 4]),
    ] {
        let reply = encoded(&server, encoding, body).await;
        assert_eq!((reply.status, refusal(&reply).0.as_str()), (415, "content-encoding"), "{encoding}");
        assert_eq!(reply.header("accept-encoding"), "gzip", "{encoding}");
    }
    assert_eq!(server.journal_head(), 0);
}
