//! `GET /api/incidents/ID/alerts`: when the alerts of a drill fire, for a client that posts them by itself.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;

use super::api::{json_answer, no_incident};
use super::incidents::{Incidents, NoAlerts};
use super::problem::Problem;
use super::quota::{Quota, Work};
use super::reading::Reading;
use crate::server::door::ConnectionInfo;
use crate::server::turns::Turn;
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
    Extension(info): Extension<ConnectionInfo>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let (known, name, limits, info) = (&*incidents, id.as_str(), &*quota, &info);
    let look = |turn: Turn| async move {
        let mut reading = Reading::new(limits, Work::Answer, info, turn);
        match known.alerts(name, &mut reading).await {
            Ok(alerts) => Ok(Some(alerts)),
            Err(NoAlerts::Unknown) => Ok(None),
            Err(NoAlerts::Refused(problem)) => Err(problem),
            Err(NoAlerts::Ended) => {
                let detail = format!("the incident {name} has ended, and its alerts with it");
                Err(Problem::new(StatusCode::GONE, detail))
            }
        }
    };
    let alerts = quota.find(Work::Answer, info.peer(), look).await?.ok_or_else(|| no_incident(&id))?;
    json_answer(&quota, info.peer(), &Answer { now: incidents.now(), incident: id, alerts })
}
