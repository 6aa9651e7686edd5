//! `GET /metrics`, and what else an operator learns of clients: who was turned away and why, who is gone and why.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::problem::{Problem, Refused};
use crate::connection::End;
use crate::contract::Position;
use crate::metrics::{CONTENT_TYPE, Client, Now, Transport};

/// `GET /metrics`
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let extent = app.journal.extent();
    let now = Now {
        head: extent.head,
        oldest: extent.oldest,
        ring_start: app.hub.ring_start(),
        healthy: app.hub.trouble().is_none(),
        commits: app.journal.commits(),
        open: app.player.open() as u64,
        max_clients: app.max_clients as u64,
    };
    let text = app.metrics.text(&now).map_err(|error| {
        tracing::error!(%error, "the metrics can't be written");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    })?;
    let headers = [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, text).into_response())
}

/// Counts and logs every request that was turned away, wherever that happened.
pub(super) async fn refusals(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    if let Some(Refused { refusal, detail }) = response.extensions().get() {
        app.metrics.refused(*refusal);
        let (reason, status) = (refusal.as_str(), response.status().as_u16());
        if let Some(unsaid) = app.refusals_said.now(*refusal) {
            let unsaid = (unsaid > 0).then_some(unsaid);
            tracing::info!(reason, status, %method, path, detail, unsaid, "request refused");
        }
    }
    response
}

impl App {
    /// Counts a client in that was sent everything up to `cursor`, until what is returned is dropped.
    pub(super) fn client_came(&self, transport: Transport, cursor: u64) -> Client {
        let after = Position { stream: self.hub.stream().clone(), n: cursor };
        tracing::debug!(transport = transport.as_str(), %after, "client came");
        self.metrics.client(transport, cursor)
    }

    /// Counts and logs the end of a client.
    pub(super) fn client_gone(&self, transport: Transport, end: &End) {
        let code = end.code();
        self.metrics.closed(transport, code);
        let transport = transport.as_str();
        match end {
            End::Left | End::Gone | End::Restart => tracing::debug!(transport, code, %end, "client gone"),
            End::Slow(position) | End::Stuck(position) | End::Expired(position) => {
                tracing::warn!(transport, code, %position, %end, "client cut off");
            }
            End::Journal(why) => tracing::warn!(transport, code, why, "client cut off"),
            _ => tracing::info!(transport, code, %end, "client cut off"),
        }
    }
}
