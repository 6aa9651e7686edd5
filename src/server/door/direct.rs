//! A request that opens the stream, as a WebSocket or as events, and comes whole with the first bytes of a connection is
//! answered without an HTTP connection, which would cost more than everything else about a new client. It is judged by the same
//! routes as any request; whatever is not plainly such a request is left to HTTP.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use hyper::{HeaderMap, Method, Request, StatusCode, Uri, header};
use jiff::Timestamp;

/// The most headers of such a request; one with more is left to HTTP.
const HEADERS: usize = 32;

/// Where the lists of one incident's events are, which are ordinary answers.
const LISTS: &str = "/api/";

/// The request for the stream that the bytes begin with, and how many bytes it has.
pub(super) fn opening(bytes: &Bytes) -> Option<(Request<Body>, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(length) = parsed.parse(bytes).ok()? else { return None };
    // The request shares the bytes that were read.
    let shared = |part: &[u8]| bytes.slice_ref(part);
    let uri = Uri::from_maybe_shared(shared(parsed.path?.as_bytes())).ok()?;
    let is_websocket = uri.path().ends_with("/ws");
    let is_events = uri.path().ends_with("/events") && !uri.path().contains(LISTS);
    if parsed.method? != "GET" || parsed.version? != 1 || !(is_websocket || is_events) {
        return None;
    }
    let mut request = Request::new(Body::empty());
    (*request.method_mut(), *request.uri_mut()) = (Method::GET, uri);
    let headers: &mut HeaderMap = request.headers_mut();
    headers.reserve(parsed.headers.len());
    for read in parsed.headers.iter() {
        let name = header::HeaderName::from_bytes(read.name.as_bytes()).ok()?;
        headers.append(name, header::HeaderValue::from_maybe_shared(shared(read.value)).ok()?);
    }
    let has_body = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::EXPECT];
    let upgrades = headers.contains_key(header::UPGRADE) && headers.contains_key(header::SEC_WEBSOCKET_KEY);
    // What a connection that is to close is told is up to HTTP.
    let connection = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let closes = connection.into_iter().any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"));
    let opens = if is_websocket { upgrades } else { !headers.contains_key(header::UPGRADE) };
    (opens && !closes && !has_body.iter().any(|name| headers.contains_key(name))).then_some((request, length))
}

/// The head of the response behind which the stream begins, and what follows it.
pub(super) fn head(response: &Response, appended: &[u8]) -> Bytes {
    let mut head = Vec::with_capacity(512 + appended.len());
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        head.extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\n");
    } else {
        head.extend_from_slice(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n");
        let now = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
        head.extend_from_slice(format!("date: {now}\r\n").as_bytes());
    }
    // What follows has no length that is known (RFC 9110, 8.6).
    for (name, value) in response.headers().iter().filter(|(name, _)| **name != header::CONTENT_LENGTH) {
        for piece in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(piece);
        }
    }
    head.extend_from_slice(b"\r\n");
    head.extend_from_slice(appended);
    head.into()
}
