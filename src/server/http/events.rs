//! `GET /events`: the stream as Server-Sent Events, for `curl -N` and a page's `EventSource`.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::response::Response;
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;

use super::problem::Problem;
use super::streams::{StreamQuery, Streams};
use crate::delivery::{End, Lease};
use crate::hub::After;
use crate::metrics::{Refusal, Transport};
use crate::server::door::ConnectionInfo;
use crate::sse::Events;

/// What an `EventSource` sends when it reconnects.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The same rules as for `/ws`.
pub(in crate::server) async fn events(
    State(streams): State<Arc<Streams>>,
    Extension(info): Extension<ConnectionInfo>,
    query: Result<Query<StreamQuery>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let after = StreamQuery::after(query)?;
    let headers = request.headers();
    // An `EventSource` reconnects to its original URL; the header has the position that it reached since.
    let after = last_event_id(headers)?.or(after);
    let mut response = if *request.method() == Method::HEAD {
        // The client stays no longer than the response's head, so it takes no slot.
        Response::new(Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>()))
    } else {
        let slot = streams.admit()?;
        let lease = request.extensions().get::<Lease>().cloned();
        let opening = streams.hub.subscribe(after.as_ref()).await;
        let client = streams.metrics.client(opening.cursor);
        let leave = streams.lifecycle.leave();
        let events = Events::new(&opening, Arc::clone(&streams.hub), leave, lease, client);
        let after = events.position();
        tracing::debug!(transport = Transport::EventStream.as_str(), %after, "client connected");
        info.becomes_stream();
        let served = Served { events, streams, info, _slot: slot };
        Response::new(Body::from_stream(stream::unfold(served, |mut served| async {
            Some((Ok::<_, Infallible>(served.events.next().await?), served))
        })))
    };
    let answer = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
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

fn last_event_id(headers: &HeaderMap) -> Result<Option<After>, Problem> {
    let mut given = headers.get_all(LAST_EVENT_ID).iter();
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

/// A client while it is served.
struct Served {
    events: Events,
    streams: Arc<Streams>,
    info: ConnectionInfo,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Served {
    /// Records why the stream ended: it ended itself, or hyper dropped it because the connection is gone.
    fn drop(&mut self) {
        let end = match self.events.end() {
            Some(end) => end.clone(),
            None if self.info.is_stalled() => End::Slow(self.events.position()),
            None if self.streams.lifecycle.is_draining() => End::Restart,
            None if self.info.is_broken() => End::Gone,
            None => End::Left,
        };
        self.streams.ends.record(&end);
    }
}
