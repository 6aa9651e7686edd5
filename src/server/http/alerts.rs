//! `GET /api/incidents/ID/alerts`: when the alerts of a drill fire, for a client that posts them by itself.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;

use super::api::{json_answer, no_incident};
use super::incidents::{Incidents, NoAlerts};
use super::problem::Problem;
use super::quota::Quota;
use crate::world::Alerts;

/// The answer. Its times are those of the server's clock, which shows `now`.
#[derive(Serialize)]
struct Answer {
    incident: String,
    now: Timestamp,
    #[serde(flatten)]
    alerts: Alerts,
}

/// `GET /api/incidents/ID/alerts`
pub(in crate::server) async fn alerts(
    State(incidents): State<Arc<Incidents>>,
    State(quota): State<Arc<Quota>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let turn = quota.turn().await?;
    let alerts = incidents.alerts(&id).await.map_err(|why| match why {
        NoAlerts::Journal(error) => error.into(),
        NoAlerts::Unknown => no_incident(&id),
        NoAlerts::Ended => {
            let detail = format!("the incident {id} has ended, and its alerts with it");
            Problem::new(StatusCode::GONE, detail)
        }
    })?;
    drop(turn);
    json_answer(&quota, &Answer { now: incidents.now(), incident: id, alerts })
}
