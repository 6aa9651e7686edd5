//! `GET /events`: the stream as Server-Sent Events, for `curl -N` and a page's `EventSource`. The response begins here; a
//! shard goes on with its socket.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use axum::response::Response;
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;

use super::problem::Problem;
use super::query::Pairs;
use super::streams::{self, Streams};
use crate::connection::{Arrival, Beginning, Dialect, Transfer};
use crate::delivery::Lease;
use crate::hub::After;
use crate::metrics::Refusal;
use crate::server::door::ConnectionInfo;
use crate::server::rate::network;
use crate::sse;

/// What an `EventSource` sends when it reconnects.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How long an `EventSource` waits at least when the server is full: others have to leave first.
const RETRY_FULL: Duration = Duration::from_secs(5);

/// The same rules as for `/ws`.
pub(in crate::server) async fn events(
    State(streams): State<Arc<Streams>>,
    Extension(info): Extension<ConnectionInfo>,
    query: Pairs,
    request: Request,
) -> Result<Response, Problem> {
    let after = streams::resumed(query)?;
    let headers = request.headers();
    // An `EventSource` reconnects to its original URL; the header has the position that it reached since.
    let after = last_event_id(headers)?.or(after);
    let mut response = if *request.method() == Method::HEAD {
        // The client stays no longer than the response's head, so it takes no slot.
        Response::new(endless())
    } else {
        match streams.admit() {
            Ok(slot) => {
                // hyper delimits a body without a length in the same way.
                let chunked = request.version() == Version::HTTP_11;
                let transfer = if chunked { Transfer::Chunked } else { Transfer::Plain };
                let lease = request.extensions().get::<Lease>().cloned();
                match open(Arc::clone(&streams), &info, after.as_ref(), transfer, lease, slot).await {
                    Ok(response) => response,
                    Err(problem) if is_event_source(headers) => come_back(&streams, &problem),
                    Err(problem) => return Err(problem),
                }
            }
            Err(problem) if is_event_source(headers) => come_back(&streams, &problem),
            Err(problem) => return Err(problem),
        }
    };
    if request.version() == Version::HTTP_10 {
        // Otherwise hyper promises a client that has asked for `keep-alive` to go on with the connection.
        *response.version_mut() = Version::HTTP_10;
    }
    let answer = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        // Proxies that compress answers would keep events back until they have a block full.
        (header::CACHE_CONTROL, "no-store, no-transform"),
        // The connection carries no further request.
        (header::CONNECTION, "close"),
        // Otherwise nginx buffers the stream.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        answer.insert(name, HeaderValue::from_static(value));
    }
    // The guard allowed this origin; the browser requires the response to say so.
    if let Some(origin) = headers.get(header::ORIGIN) {
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answer.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
    Ok(response)
}

/// The stream of a client that was let in: the head of the response, behind which a shard goes on.
async fn open(
    streams: Arc<Streams>,
    info: &ConnectionInfo,
    after: Option<&After>,
    transfer: Transfer,
    lease: Option<Lease>,
    slot: OwnedSemaphorePermit,
) -> Result<Response, Problem> {
    let opening = streams.hub.subscribe(after).await?;
    let (dialect, network) = (Dialect::EventStream(transfer), network(info.peer()));
    let mut beginning = Beginning::new(&streams.hub, dialect, opening);
    info.append_to_head(beginning.take_bytes());
    info.becomes_stream();
    info.hand_over(Box::new(move |io, unsent, _| match io.split() {
        Ok((tcp, tls)) => {
            let tail = Vec::new();
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
        Err(error) => tracing::debug!(%error, "client lost at its first event"),
    }));
    Ok(Response::new(endless()))
}

/// The body of a response that HTTP does not write.
fn endless() -> Body {
    Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>())
}

/// Whether the client is an `EventSource`, which has to ask for this media type. Programs are better served by a status.
fn is_event_source(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.contains("text/event-stream")
}

/// Instead of a refusal that an `EventSource` would not survive. It is counted and logged as the refusal.
fn come_back(streams: &Streams, problem: &Problem) -> Response {
    let retry = if streams.lifecycle.is_draining() { sse::RETRY } else { RETRY_FULL };
    let mut response = Response::new(Body::from(sse::come_back(retry, problem.detail())));
    if let Some(refused) = problem.refused() {
        response.extensions_mut().insert(refused);
    }
    response
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<After>, Problem> {
    // Before their first event some clients send an empty one.
    let mut given = headers.get_all(LAST_EVENT_ID).iter().filter(|id| !id.is_empty());
    let refuse = |why: &str| Problem::bad_request(format!("Last-Event-ID: {why}")).because(Refusal::Position);
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some(id), None) => {
            let id = id.to_str().map_err(|_| refuse("a position has only ASCII characters"))?;
            id.parse().map(Some).map_err(|error| refuse(&format!("{error}")))
        }
        (Some(_), Some(_)) => Err(refuse("send one position, not several")),
    }
}
