//! Answers to connections that are not let in.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::unread::Rest;

/// Whether pages of an origin, which is not the server's own, may read answers.
pub(in crate::server) type AllowsOrigin = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// How long a refused connection may take to send its first byte, and to take the answer.
pub(super) const DEADLINE: Duration = Duration::from_secs(1);

/// The answer to plain HTTP on a port that speaks TLS.
pub(super) const TLS_ONLY: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 50\r\nConnection: close\r\n\r\nthis port speaks TLS only: use https:// or wss://\n";

/// Reads what has come of the request, sends the answer to it, drops for a moment what the client still sends, and closes: closing a
/// socket with unread bytes resets it.
pub(super) async fn refuse(mut tcp: TcpStream, answer: impl FnOnce(&[u8]) -> Vec<u8>) {
    let mut request = [0; 4096];
    let read = tcp.try_read(&mut request).unwrap_or_default();
    let request = &request[..read];
    let is_whole = request.starts_with(b"GET ") && request.ends_with(b"\r\n\r\n");
    // The connection ends here whether the client takes the answer or not.
    let _ = timeout(DEADLINE, async {
        tcp.write_all(&answer(request)).await?;
        tcp.shutdown().await?;
        if !is_whole {
            let mut rest = Rest::new(DEADLINE);
            poll_fn(|context| rest.poll_drop(Pin::new(&mut tcp), context)).await;
        }
        std::io::Result::Ok(())
    })
    .await;
}

/// The answer to a request over the rate. An `EventSource` would give up for good on a 429: it is brought back later.
pub(super) fn too_fast(request: &[u8], encrypted: bool, allows_origin: &AllowsOrigin) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    let header = |name: &str| {
        let headers = text.lines().skip(1).filter_map(|line| line.split_once(':'));
        let mut values =
            headers.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
        values.next().unwrap_or_default()
    };
    // Otherwise a browser hides the answer from the page.
    let origin = Some(header("origin")).filter(|origin| allows_origin(origin));
    let cors = origin.map(|origin| {
        format!("Access-Control-Allow-Origin: {origin}\r\nAccess-Control-Expose-Headers: Link, Retry-After\r\nVary: Origin\r\n")
    });
    let cors = cors.unwrap_or_default();
    // In plain text to a port that speaks TLS it is no page's request.
    if encrypted || !header("accept").to_ascii_lowercase().contains("text/event-stream") {
        let head =
            "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n";
        return format!("{head}{cors}\r\n").into_bytes();
    }
    let body = crate::sse::come_back(crate::sse::RETRY, "too many connections from this address");
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nContent-Length: {}\r\n\
         Connection: close\r\n{cors}\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat()
}
