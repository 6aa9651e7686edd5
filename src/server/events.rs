//! `GET /events`: the stream as Server-Sent Events, so that `curl -N` and a page's `EventSource` are clients.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::response::Response;
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;

use super::problem::Problem;
use super::socket::Line;
use super::upgrade::Wanted;
use super::{App, auth};
use crate::connection::End;
use crate::hub::After;
use crate::metrics::{Refusal, Transport};
use crate::sse::Events;

const TRANSPORT: Transport = Transport::EventStream;

/// What an `EventSource` sends when it comes back.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The same rules as for `/ws`.
pub(super) async fn events(
    State(app): State<Arc<App>>,
    Extension(line): Extension<Line>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let after = Wanted::after(wanted)?;
    let headers = request.headers();
    // A browser comes back to the address that it was given first: what it saw since is in the header.
    let after = last_event_id(headers)?.or(after);
    let mut response = if *request.method() == Method::HEAD {
        // Nobody comes to stay.
        Response::new(Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>()))
    } else {
        let place = app.place()?;
        let lease = auth::lease(&request);
        let first = app.hub.subscribe(after.as_ref()).await;
        let client = app.metrics.client(first.1);
        let events = Events::new(first, Arc::clone(&app.hub), app.leave.subscribe(), lease, client);
        tracing::debug!(transport = TRANSPORT.as_str(), after = %events.position(), "client came");
        line.becomes_stream();
        let served = Served { events, app, line, _place: place };
        Response::new(Body::from_stream(stream::unfold(served, |mut served| async {
            Some((Ok::<_, Infallible>(served.events.next().await?), served))
        })))
    };
    let answer = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Nothing comes behind it on this connection.
        (header::CONNECTION, "close"),
        // nginx would collect it.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        answer.insert(name, HeaderValue::from_static(value));
    }
    // The guard let it in; its browser wants to hear that from us.
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
            let id = id.to_str().map_err(|_| refuse("a position is plain text"))?;
            id.parse().map(Some).map_err(|error| refuse(&format!("{error}")))
        }
        (Some(_), Some(_)) => Err(refuse("one position, not several")),
    }
}

/// A client while it is served.
struct Served {
    events: Events,
    app: Arc<App>,
    line: Line,
    _place: OwnedSemaphorePermit,
}

impl Drop for Served {
    /// However it ends: by itself, or because the connection is gone.
    fn drop(&mut self) {
        let end = match self.events.end() {
            Some(end) => end.clone(),
            None if self.line.is_stalled() => End::Slow(self.events.position()),
            None if self.app.draining.load(Ordering::Relaxed) => End::Restart,
            None if self.line.is_broken() => End::Gone,
            None => End::Left,
        };
        end.tell(TRANSPORT, &self.app.metrics, &self.app.ends_said);
    }
}
