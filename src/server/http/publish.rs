//! `POST /api/events`: events from outside.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::prefix::PublicPath;
use super::problem::{Problem, fault};
use super::problems;
use super::query::{Pairs, Parameter};
use crate::ingest::{Fault, Format, Incoming, Kind, MAX_BODY_BYTES, Refused, read};
use crate::server::bodies::Unread;
use crate::server::door::ConnectionInfo;
use crate::server::encoding::{Encoding, Undecodable};
use crate::server::peers::Peers;
use crate::server::publish::{Mode, Placed, PublishRate, Publisher, PublisherId};

/// How long a body may take to arrive.
const DEADLINE: Duration = Duration::from_secs(10);

/// Whether the events that are sound are stored, even if others are refused.
const PARTIAL: Parameter = Parameter { name: "partial", is: "true or false" };

/// Who publishes, and what stores it.
type Parts = (
    State<Arc<Publisher>>,
    State<Arc<PublishRate>>,
    State<Arc<Peers>>,
    Extension<ConnectionInfo>,
    Extension<PublisherId>,
);

/// `POST /api/events` answers 200 once the events are durable. A refusal has a `Link` to what it means: its `type` is the same
/// on every server, wherever that is published.
pub(in crate::server) async fn publish(
    path: PublicPath,
    parts: Parts,
    query: Pairs,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match stored(parts, query, &headers, body).await {
        Ok(response) => response,
        Err(problem) => problems::linked(problem, &path),
    }
}

async fn stored(parts: Parts, query: Pairs, headers: &HeaderMap, body: Body) -> Result<Response, Problem> {
    let (State(publisher), State(rate), State(peers), Extension(info), Extension(id)) = parts;
    let partial = PARTIAL.read(query, |text| text.parse().ok()).map_err(Problem::bad_request)?;
    let partial = partial.unwrap_or(false);
    // Before the body is read: a client that can't publish now need not send it.
    publisher.is_ready()?;
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = Format::of(content_type).ok_or_else(|| {
        Refused::whole(Kind::MediaType, format!("the content type {content_type:?} cannot be published"))
    })?;
    let encoding = Encoding::of(headers).map_err(|detail| Refused::whole(Kind::ContentEncoding, detail))?;
    let body = publisher.bodies.read(&info, body, MAX_BODY_BYTES, DEADLINE).await.map_err(unread)?;
    let body = publisher.bodies.decode(body, encoding, MAX_BODY_BYTES).await.map_err(|why| match why {
        Undecodable::TooLarge => unread(Unread::TooLarge),
        Undecodable::Busy => unread(Unread::Busy),
        Undecodable::Broken(detail) => Refused::whole(Kind::ContentEncoding, detail).into(),
    })?;
    let mut events = read(format, &body)?;
    drop(body);
    for event in &mut events {
        let Ok(Incoming { source, .. }) = event else { continue };
        // What a receiver knows of its alerts is read from its events.
        let is_receivers = source.starts_with(crate::receivers::SOURCE);
        if is_receivers || !id.may_publish_as(source) {
            let detail = if is_receivers {
                format!("{source:?} is a receiver's: publish under another source")
            } else {
                format!("this token may not publish as {source:?}")
            };
            *event = Err(vec![Fault::new(Kind::SourceNotAllowed, "/source", detail)]);
        }
    }
    rate.take(id.token, events.len()).map_err(|seconds| {
        let refused = Refused::whole(Kind::Rate, "this token has published too many events a second");
        Problem::from(refused).retry_after(seconds)
    })?;
    let mode = if partial { Mode::Each } else { Mode::Together };
    let outcome = publisher.publish_in(mode, events).await.map_err(|refused| named(refused, &peers))?;
    let placed = || outcome.iter().flatten();
    let body = json!({
        "accepted": placed().count(),
        "duplicates": placed().filter(|placed| placed.duplicate).count(),
        "results": outcome.iter().enumerate().map(result).collect::<Vec<_>>(),
    });
    Ok(Json(body).into_response())
}

/// The refusal, with the servers that may play a drill: which of them does is known to each of them alone.
fn named(mut refused: Refused, peers: &Peers) -> Problem {
    if refused.kind != Kind::PlayedElsewhere || peers.all.is_empty() {
        return refused.into();
    }
    let servers: Vec<String> = peers.all.iter().map(ToString::to_string).collect();
    refused.detail = format!("{}; the servers are {}", refused.detail, servers.join(", "));
    Problem::from(refused).with("servers", servers)
}

/// The refusal of a body that was not read.
fn unread(why: Unread) -> Problem {
    match why {
        Unread::TooLarge => {
            Refused::whole(Kind::TooLarge, format!("the body has more than {MAX_BODY_BYTES} bytes")).into()
        }
        Unread::Busy => {
            Refused::whole(Kind::Busy, "many other large bodies are arriving; try again in a moment").into()
        }
        Unread::Late => {
            let detail = format!("the body did not arrive within {} s", DEADLINE.as_secs());
            Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
        }
        Unread::Broken => Problem::bad_request("the body has not arrived as a whole"),
    }
}

/// What became of one event.
fn result((event, outcome): (usize, &Result<Placed, Vec<Fault>>)) -> Value {
    match outcome {
        Ok(Placed { position, index, duplicate: false }) => json!({ "position": position, "index": index }),
        Ok(Placed { position, index, duplicate: true }) => {
            json!({ "position": position, "index": index, "duplicate": true })
        }
        Err(faults) => {
            let kind = faults.first().map_or(Kind::BadEnvelope, |fault| fault.kind);
            let errors = faults.iter().map(|one| fault(&one.clone().of(event)));
            json!({ "problem": {
                "type": kind.uri(),
                "title": kind.title(),
                "status": kind.status(),
                "detail": faults.first().map_or("", |fault| &fault.detail),
                "errors": errors.collect::<Vec<_>>(),
            } })
        }
    }
}
