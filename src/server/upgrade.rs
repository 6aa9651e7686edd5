//! `GET /ws`: the WebSocket handshake, and handing the socket to a connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::tungstenite::handshake::server::create_response;

use super::io::Io;
use super::problem::Problem;
use super::socket::{Line, Socket};
use super::{App, auth};
use crate::connection::Arrival;
use crate::contract::SUBPROTOCOL;
use crate::hub::After;
use crate::metrics::Refusal;

/// The query of `/ws` and `/events`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    after: Option<String>,
}

impl Wanted {
    /// The position to go on from, if there is one.
    pub(super) fn after(wanted: Result<Query<Self>, QueryRejection>) -> Result<Option<After>, Problem> {
        let refuse = |detail| Problem::bad_request(detail).because(Refusal::Position);
        let Query(wanted) = wanted.map_err(|error| refuse(error.body_text()))?;
        let after = wanted.after.as_deref().map(str::parse::<After>).transpose();
        after.map_err(|error| refuse(format!("after: {error}")))
    }
}

impl App {
    /// One of the places that clients have, however they are connected.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(stopping());
        }
        let place = Arc::clone(&self.clients).try_acquire_owned();
        place.map_err(|_| {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "as many clients as the server takes are here")
                .with_header(header::RETRY_AFTER, "5")
                .because(Refusal::Full)
        })
    }
}

fn stopping() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping")
        .with_header(header::RETRY_AFTER, "1")
        .because(Refusal::Stopping)
}

/// Checks everything before the socket changes its protocol: a refusal is an HTTP status that clients can read.
pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(line): Extension<Line>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    mut request: Request,
) -> Result<Response, Problem> {
    let after = Wanted::after(wanted)?;
    let Some(on_upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        let detail = "this is a WebSocket: connect with `incident watch` or a WebSocket client";
        let problem = Problem::new(StatusCode::UPGRADE_REQUIRED, detail).because(Refusal::Handshake);
        return Err(problem.with_header(header::UPGRADE, "websocket"));
    };
    let request = request.map(|_| ());
    let handshake = create_response(&request)
        .map_err(|error| format!("the WebSocket handshake is wrong: {error}"))
        .map_err(|detail| Problem::bad_request(detail).because(Refusal::Handshake))?;
    let permit = app.place()?;

    let lease = auth::lease(&request);
    let (opened, cursor) = app.hub.subscribe(after.as_ref()).await;
    line.greet(opened);
    let tracker = app.connections.clone();
    tracker.spawn(async move {
        match on_upgrade.await.map(into_io) {
            Ok(Some((io, opened, tail))) => match io.split() {
                Ok((tcp, tls)) => {
                    app.shards.adopt(Arrival { tcp, tls, tail, opened, cursor, permit, lease });
                }
                Err(error) => tracing::debug!(%error, "client left behind its handshake"),
            },
            Ok(None) => tracing::error!("an upgraded connection is not one of this server's"),
            Err(error) => tracing::debug!(%error, "client left during the handshake"),
        }
    });

    let mut response = handshake.map(|()| axum::body::Body::empty()).into_response();
    let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let mut offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    if offered.any(|protocol| protocol.trim() == SUBPROTOCOL) {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    Ok(response)
}

/// The stream below hyper's wrapping, what it did not take yet, and what was read from it already.
fn into_io(upgraded: Upgraded) -> Option<(Io, Bytes, Vec<u8>)> {
    let parts = upgraded.downcast::<TokioIo<Socket>>().ok()?;
    let (io, rest) = parts.io.into_inner().into_parts();
    Some((io, rest, parts.read_buf.to_vec()))
}
