//! `GET /metrics`, and what else an operator learns: who was turned away and why.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::problem::{Problem, Refused};
use crate::metrics::{CONTENT_TYPE, Refusal, Snapshot};

/// `GET /metrics`
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let extent = app.journal.extent();
    let now = Snapshot {
        head: extent.head,
        oldest: extent.oldest,
        ring_start: app.hub.ring_start(),
        healthy: app.hub.trouble().is_none(),
        commits: app.journal.commits(),
        open: app.player.open() as u64,
        max_clients: app.max_clients.into(),
        websocket: app.shards.tally().await,
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
    if let Some(Refused { refusal, detail }) = response.extensions().get()
        && let Some(unsaid) = app.refused(*refusal)
    {
        let (reason, status) = (refusal.as_str(), response.status().as_u16());
        let unsaid = (unsaid > 0).then_some(unsaid);
        tracing::info!(reason, status, %method, path, detail, unsaid, "request refused");
    }
    response
}

impl App {
    /// Counts that somebody was turned away. `Some` if it is to be logged now, with how often it was not before.
    pub(super) fn refused(&self, refusal: Refusal) -> Option<u64> {
        self.metrics.refused(refusal);
        self.refusals_said.now(refusal)
    }
}
