//! `GET /metrics`: Prometheus' text format.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::problem::Problem;
use crate::connection::Shards;
use crate::hub::Hub;
use crate::journal::Journal;
use crate::log_limiter::limited;
use crate::metrics::{CONTENT_TYPE, Metrics, Snapshot};
use crate::server::client_limit::ClientLimit;
use crate::server::control::IncidentControl;

/// How long the journal may take to count its incidents.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the figures come from.
pub(in crate::server) struct Figures {
    pub(in crate::server) journal: Journal,
    pub(in crate::server) hub: Arc<Hub>,
    pub(in crate::server) control: Arc<IncidentControl>,
    pub(in crate::server) shards: Arc<Shards>,
    pub(in crate::server) limit: Arc<ClientLimit>,
    pub(in crate::server) metrics: Arc<Metrics>,
}

/// `GET /metrics`
pub(in crate::server) async fn metrics(State(figures): State<Arc<Figures>>) -> Result<Response, Problem> {
    let (extent, clock) = (figures.journal.extent(), figures.journal.clock());
    let steps = clock.steps();
    // Also an incident that its publisher has forgotten counts: the journal keeps everything behind its start.
    let told = timeout(PATIENCE, figures.journal.open_without_plan()).await;
    let told = told.ok().and_then(Result::ok).map_or(0, |open| open.len());
    let cluster = figures.journal.cluster();
    let here = (figures.control.player.open() + told) as u64;
    let now = Snapshot {
        head: extent.head,
        oldest: extent.oldest,
        ring_start: figures.hub.ring_start(),
        healthy: figures.hub.trouble().is_none(),
        commits: figures.journal.commits(),
        clock_ahead_s: clock.ahead().as_secs_f64(),
        clock_steps: [steps.forward, steps.back],
        wal_bytes: figures.journal.log_bytes(),
        cluster,
        open: cluster.map_or(here, |cluster| cluster.open),
        max_clients: figures.limit.most().into(),
        client_threads: figures.shards.threads() as u64,
        clients: figures.shards.tally().await,
    };
    let text = figures.metrics.text(&now).map_err(|error| {
        limited!(error, "cannot encode the metrics", %error);
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    })?;
    let headers = [(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, text).into_response())
}
