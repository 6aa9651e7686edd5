//! HTTP where TLS is spoken, and TLS where it is not.

use std::io::Write;
use std::net::TcpListener;

use incident::client::{ClientError, Socket};
use incident::server::Options;

use super::{Authority, endpoint, local, serving};
use crate::harness::{Raw, Serving, get, incident, options, soon};

#[tokio::test]
async fn http_is_told_to_come_back_with_tls() {
    let authority = Authority::with_server();
    let server = serving(&authority, "server", &[]);
    let reply = get(server.address(), "/").await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.body, "this port speaks TLS only: use https:// or wss://\n");
    assert_eq!(reply.header("content-length"), reply.body.len().to_string());
    let url = server.url().replace("wss://", "ws://");
    for command in [
        &["watch"][..],
        &["trigger", "database-outage"],
        &["report", "x-aaaaa"],
        &["validate", "--for", "1s"],
    ] {
        let ran = incident(&[command, &["--url", &url]].concat()).run();
        assert_eq!(ran.status, Some(3), "{command:?}: {}", ran.stderr);
        for piece in ["400", "TLS only", "wss://"] {
            assert!(ran.stderr.contains(piece), "{command:?}: {piece} is not in\n{}", ran.stderr);
        }
    }
    // Whatever else it is, it is answered and gone.
    let mut raw = Raw::connect(server.address()).await;
    raw.send(b"\0\x01\x02").await;
    assert!(raw.rest().await.starts_with("HTTP/1.1 400 "));
}

#[test]
fn tls_is_told_that_the_server_does_not_speak_it() {
    let server = Serving::with(&[]);
    let url = server.url().replace("ws://", "wss://");
    for command in [
        &["watch"][..],
        &["trigger", "database-outage"],
        &["report", "x-aaaaa"],
        &["validate", "--for", "1s"],
    ] {
        let ran = incident(&[command, &["--url", &url]].concat()).env("SSL_CERT_FILE", &authority()).run();
        assert_eq!(ran.status, Some(3), "{command:?}: {}", ran.stderr);
        for piece in ["does not speak TLS", "ws://"] {
            assert!(ran.stderr.contains(piece), "{command:?}: {piece} is not in\n{}", ran.stderr);
        }
    }
}

/// An authority of no use, on a system that may know none.
fn authority() -> String {
    static KEPT: std::sync::OnceLock<Authority> = std::sync::OnceLock::new();
    KEPT.get_or_init(Authority::new).file("ca.pem")
}

/// Somebody who says this to whoever connects, and hangs up.
fn saying(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("wss://{}/ws", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.write_all(answer);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            // A socket that is closed over unread bytes is reset.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    url
}

#[test]
fn an_end_within_the_handshake_is_told_as_one() {
    // Of the second the alert `handshake_failure`.
    for (answer, says) in [
        (&b""[..], "ended during the TLS handshake"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "the TLS handshake with wss://"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "does not speak TLS"),
    ] {
        let ran = incident(&["watch", "--url", &saying(answer), "--cacert", &authority()]).run();
        assert_eq!(ran.status, Some(3), "{}", ran.stderr);
        assert!(ran.stderr.contains(says) && ran.stderr.contains("try:"), "{says}: {}", ran.stderr);
    }
}

/// An answer without TLS would look like a server that speaks none, which nobody tries again.
#[tokio::test]
async fn who_comes_too_fast_sees_an_end_and_may_come_back() {
    let authority = Authority::with_server();
    let server = local(&authority, Options { admit_rate: 5, ..options() }).await;
    let endpoint = endpoint(&authority, &server);
    let mut refused = 0;
    for _ in 0..30 {
        match Socket::connect(&endpoint, None).await {
            Ok(socket) => socket.close().await,
            Err(error) => {
                assert!(matches!(error, ClientError::Unreachable { .. }) && error.is_passing(), "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused >= 10, "{refused} of 30");
    soon("its turn", async { while Socket::connect(&endpoint, None).await.is_err() {} }).await;
}
