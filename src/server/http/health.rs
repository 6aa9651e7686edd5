//! `GET /readyz`: whether a load balancer should send clients here.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::metrics::Figures;
use super::problem::Problem;
use crate::hub::Hub;
use crate::server::lifecycle::Lifecycle;

/// Ready until the server drains, and while the journal works.
pub(in crate::server) async fn ready(
    State(hub): State<Arc<Hub>>,
    State(figures): State<Arc<Figures>>,
    State(lifecycle): State<Arc<Lifecycle>>,
) -> Response {
    if lifecycle.is_draining() {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping").into_response();
    }
    if let Some(why) = hub.trouble() {
        let detail = format!("the stream is paused: {why}");
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response();
    }
    let ready = match figures.journal.cluster() {
        None => "ready\n",
        Some(cluster) if cluster.leads => "ready: this server plays the incidents\n",
        Some(_) => "ready: another server plays the incidents\n",
    };
    // Events are stored and sent, so clients may come.
    match figures.journal.warning() {
        None => ready.into_response(),
        Some(why) => format!("{ready}warning: {why}\n").into_response(),
    }
}
