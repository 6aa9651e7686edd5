//! `GET /metrics`: Prometheus' text format.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use tokio::time::{Instant, timeout};

use super::problem::Problem;
use crate::connection::Shards;
use crate::hub::Hub;
use crate::journal::Journal;
use crate::log_limiter::limited;
use crate::metrics::{CONTENT_TYPE, Metrics, Snapshot};
use crate::server::client_limit::ClientLimit;
use crate::server::control::IncidentControl;

/// How long a count of incidents is good enough, although events have come since.
const FRESH: Duration = Duration::from_millis(200);

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
    pub(in crate::server) told: Told,
}

/// How many incidents are open that publishers tell. Also one that its publisher has forgotten counts: the journal keeps everything behind
/// its start. They are counted once in a while, however often somebody asks: there may be thousands of them.
#[derive(Default)]
pub(in crate::server) struct Told(Mutex<Counted>);

/// No journal has so many events: whoever began to count may have left.
const NOT_COUNTED: u64 = u64::MAX;

#[derive(Default)]
struct Counted {
    count: usize,
    /// When they were counted, or began to be, and the newest event then.
    at: Option<(Instant, u64)>,
}

impl Told {
    async fn count(&self, journal: &Journal, head: u64) -> usize {
        {
            let mut counted = self.0.lock();
            if counted.at.is_some_and(|(at, of)| of == head || at.elapsed() < FRESH) {
                return counted.count;
            }
            // Who asks meanwhile gets the old number.
            counted.at = Some((Instant::now(), NOT_COUNTED));
        }
        let open = timeout(PATIENCE, journal.open_without_plan()).await.ok().and_then(Result::ok);
        let mut counted = self.0.lock();
        match open {
            Some(open) => *counted = Counted { count: open.len(), at: Some((Instant::now(), head)) },
            // The next one asks again.
            None => counted.at = None,
        }
        counted.count
    }
}

/// `GET /metrics`
pub(in crate::server) async fn metrics(State(figures): State<Arc<Figures>>) -> Result<Response, Problem> {
    let (extent, clock) = (figures.journal.extent(), figures.journal.clock());
    let steps = clock.steps();
    let told = figures.told.count(&figures.journal, extent.head).await;
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
