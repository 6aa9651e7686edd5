//! `/api`: scenarios and incidents.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::body;
use super::incidents::Incidents;
use super::prefix::PublicPath;
use super::problem::Problem;
use crate::contract::Position;
use crate::hub::Hub;
use crate::journal::JournalError;
use crate::metrics::Refusal;
use crate::player::{PlayError, Speed};
use crate::report::History;
use crate::server::control::{IncidentControl, TriggerError};
use crate::server::door::ConnectionInfo;
use crate::server::lifecycle::Lifecycle;

/// The body of `POST /api/incidents`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trigger {
    scenario: String,
    seed: Option<u64>,
    speed: Option<f64>,
}

/// `GET /api/scenarios`
pub(in crate::server) async fn scenarios(State(control): State<Arc<IncidentControl>>) -> Response {
    let scenarios = control.library.iter().map(|scenario| {
        let file = &scenario.file;
        json!({
            "id": scenario.id(),
            "title": file.title,
            "severity": file.severity,
            "services": file.services,
            "target_s": file.target.secs(),
            "screen_s": scenario.duration().secs(),
            "provenance": file.provenance.as_ref().map(|provenance| &provenance.url),
        })
    });
    Json(json!({ "scenarios": scenarios.collect::<Vec<_>>() })).into_response()
}

/// `POST /api/incidents` answers 202 once the start is durable.
pub(in crate::server) async fn trigger(
    State(control): State<Arc<IncidentControl>>,
    State(hub): State<Arc<Hub>>,
    State(lifecycle): State<Arc<Lifecycle>>,
    Extension(info): Extension<ConnectionInfo>,
    PublicPath(base): PublicPath,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if lifecycle.is_draining() {
        return Err(PlayError::Stopping.into());
    }
    let body = body::json(&info, &headers, body).await?;
    let wanted: Trigger = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad_request(format!("{error}; expected {{\"scenario\": \"NAME\"}}")))?;
    if wanted.seed.is_some_and(|seed| seed >= Position::LIMIT) {
        return Err(Problem::bad_request("seed must be a whole number below 2^53"));
    }
    let speed = match wanted.speed.map(Speed::new).transpose() {
        Ok(speed) => speed,
        Err(error) => return Err(Problem::bad_request(error.to_string())),
    };
    let started = control.trigger(&wanted.scenario, wanted.seed, speed).await?;
    let location = format!("{base}/api/incidents/{}", started.id);
    let body = json!({ "id": started.id, "stream": hub.stream(), "position": started.position });
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(body)).into_response())
}

/// `GET /api/incidents`
pub(in crate::server) async fn incidents(
    State(incidents): State<Arc<Incidents>>,
) -> Result<Response, Problem> {
    let folded = incidents.board().await?;
    Ok(Json(json!({ "incidents": folded.board.incidents() })).into_response())
}

/// `GET /api/incidents/ID`
pub(in crate::server) async fn incident(
    State(incidents): State<Arc<Incidents>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    match incidents.incident(&id).await? {
        Some(incident) => Ok(Json(incident).into_response()),
        None => Err(no_incident(&id)),
    }
}

/// `GET /api/incidents/ID/report.md`
pub(in crate::server) async fn report(
    State(incidents): State<Arc<Incidents>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let events = incidents.events(&id).await?.unwrap_or_default();
    let history = History::all(&events).pop().ok_or_else(|| no_incident(&id))?;
    let content_type = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
    Ok((content_type, history.markdown()).into_response())
}

/// `DELETE /api/incidents/ID` cancels it.
pub(in crate::server) async fn cancel(
    State(control): State<Arc<IncidentControl>>,
    State(hub): State<Arc<Hub>>,
    State(incidents): State<Arc<Incidents>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let ended = control.player.cancel(&id).await?.ok_or_else(|| no_incident(&id))?;
    let outcome = incidents.incident(&id).await?.map(|incident| incident.state);
    let body = json!({
        "id": id,
        "stream": hub.stream(),
        "position": ended.position,
        "outcome": outcome,
        "cancelled_now": ended.cancelled_now,
    });
    Ok(Json(body).into_response())
}

fn no_incident(id: &str) -> Problem {
    Problem::not_found(format!("no incident is called {id:?}; GET /api/incidents lists them"))
}

impl From<PathRejection> for Problem {
    fn from(error: PathRejection) -> Self {
        Self::bad_request(error.body_text())
    }
}

impl From<TriggerError> for Problem {
    fn from(error: TriggerError) -> Self {
        match error {
            TriggerError::Unknown { name, near } => {
                let hint = match near {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => "GET /api/scenarios lists them".to_owned(),
                };
                Self::not_found(format!("no scenario is called {name:?}: {hint}"))
            }
            TriggerError::Compile(error) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            TriggerError::Play(error) => error.into(),
        }
    }
}

impl From<PlayError> for Problem {
    fn from(error: PlayError) -> Self {
        let later = |error: &PlayError| {
            Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
                .with_header(header::RETRY_AFTER, "10")
        };
        match error {
            PlayError::TooMany => later(&error).because(Refusal::Incidents),
            PlayError::Stopping => later(&error),
            PlayError::Journal(error) => error.into(),
        }
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        tracing::error!(%error, "the journal failed a request");
        match error {
            JournalError::Unavailable(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
                .with_header(header::RETRY_AFTER, "5"),
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the journal can't be used; the server's log says why",
            ),
        }
    }
}
