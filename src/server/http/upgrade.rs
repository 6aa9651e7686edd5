//! `GET /ws`: the WebSocket handshake, and handing the socket to a shard.

use std::sync::Arc;

use axum::extract::{Extension, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::server::create_response;

use super::problem::Problem;
use super::query::Pairs;
use super::streams::{self, Streams};
use crate::connection::{Arrival, Beginning, Dialect};
use crate::contract::SUBPROTOCOL;
use crate::delivery::Lease;
use crate::log_limiter::limited;
use crate::metrics::Refusal;
use crate::server::door::{ConnectionInfo, Io, Socket, TakeOver};
use crate::server::rate::network;

/// The version of RFC 6455.
const VERSION: &str = "13";

/// The handshake of a request that has passed everything in front of its route.
pub(in crate::server) async fn handshake(streams: Arc<Streams>, request: Request) -> Response {
    let info = request.extensions().get::<ConnectionInfo>().cloned();
    let Some(info) = info else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let query = Query::try_from_uri(request.uri());
    upgrade(State(streams), Extension(info), query, request).await.into_response()
}

/// Checks everything before the protocol changes, so that a refusal is an HTTP status that clients can read.
pub(in crate::server) async fn upgrade(
    State(streams): State<Arc<Streams>>,
    Extension(info): Extension<ConnectionInfo>,
    query: Pairs,
    mut request: Request,
) -> Result<Response, Problem> {
    let after = streams::resumed(query)?;
    let on_upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let can_upgrade = on_upgrade.is_some() || info.is_direct();
    if !can_upgrade || !lists(request.headers(), &header::CONNECTION, "upgrade") {
        let detail = not_an_upgrade(request.headers());
        let problem = Problem::new(StatusCode::UPGRADE_REQUIRED, detail).because(Refusal::Handshake);
        return Err(problem.with_header(header::UPGRADE, "websocket"));
    }
    let mut request = request.map(|_| ());
    let headers = request.headers_mut();
    if let Some(version) = headers.get(header::SEC_WEBSOCKET_VERSION).filter(|version| *version != VERSION) {
        let detail =
            format!("this server speaks version {VERSION} of the WebSocket protocol, not {version:?}");
        let problem = Problem::new(StatusCode::UPGRADE_REQUIRED, detail).because(Refusal::Handshake);
        let problem = problem.with_header(header::UPGRADE, "websocket");
        return Err(problem.with_header(header::SEC_WEBSOCKET_VERSION, VERSION));
    }
    if headers.get_all(header::SEC_WEBSOCKET_KEY).iter().count() > 1 {
        let detail =
            "the WebSocket handshake is invalid: it has several `Sec-WebSocket-Key` headers; send one";
        return Err(Problem::bad_request(detail).because(Refusal::Handshake));
    }
    // Both are lists, also of several lines; the handshake's check takes them for single words.
    for (name, word) in [(header::UPGRADE, "websocket"), (header::CONNECTION, "upgrade")] {
        if lists(headers, &name, word) {
            headers.insert(name, HeaderValue::from_static(word));
        }
    }
    let handshake = create_response(&request)
        .map_err(|error| format!("the WebSocket handshake is invalid: {error}"))
        .map_err(|detail| Problem::bad_request(detail).because(Refusal::Handshake))?;
    let slot = streams.admit()?;

    let lease = request.extensions().get::<Lease>().cloned();
    let opening = streams.hub.subscribe(after.as_ref()).await?;
    let mut beginning = Beginning::new(&streams.hub, Dialect::WebSocket, opening);
    info.append_to_head(beginning.take_bytes());
    let tracker = streams.lifecycle.connections.clone();
    let network = network(info.peer());
    let take_over: TakeOver = Box::new(move |io, unsent, tail| match io.split() {
        Ok((tcp, tls)) => {
            let dialect = Dialect::WebSocket;
            streams.shards.adopt(Arrival {
                tcp,
                tls,
                dialect,
                tail,
                beginning,
                unsent,
                slot,
                network,
                lease,
            });
        }
        Err(error) => tracing::debug!(%error, "client lost after its handshake"),
    });
    match on_upgrade {
        None => info.hand_over(take_over),
        Some(on_upgrade) => drop(tracker.spawn(async move {
            match on_upgrade.await.map(into_io) {
                Ok(Some((io, unsent, tail))) => take_over(io, unsent, tail),
                Ok(None) => limited!(error, "an upgraded connection is not of the expected type"),
                Err(error) => tracing::debug!(%error, "client lost during the handshake"),
            }
        })),
    }

    let mut response = handshake.map(|()| axum::body::Body::empty()).into_response();
    let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    if offered.any(|protocol| protocol.trim() == SUBPROTOCOL) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    Ok(response)
}

/// Why a request is no handshake. A proxy that does not know WebSocket removes `Upgrade`, and passes the rest on.
fn not_an_upgrade(headers: &HeaderMap) -> &'static str {
    if headers.contains_key(header::SEC_WEBSOCKET_KEY) {
        return "a WebSocket handshake came without its headers `Upgrade` and `Connection: upgrade`, or not in HTTP/1.1: a proxy \
                between the client and this server has to pass them on, as docs/proxies.md shows";
    }
    "this path is a WebSocket: connect with `incident watch` or another WebSocket client"
}

/// Whether one of the words in a list is this one.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(word))
}

/// The connection below hyper's wrapping, what is still to be written on it, and what was already read from it.
fn into_io(upgraded: Upgraded) -> Option<(Io, Bytes, Vec<u8>)> {
    let parts = upgraded.downcast::<TokioIo<Socket>>().ok()?;
    let (io, rest) = parts.io.into_inner().into_parts()?;
    Some((io, rest, parts.read_buf.to_vec()))
}
