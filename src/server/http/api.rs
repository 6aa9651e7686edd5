//! `/api`: scenarios and incidents.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::body;
use super::incidents::{Incidents, off_workers};
use super::prefix::PublicPath;
use super::problem::Problem;
use super::quota::{Quota, Work, busy};
use super::reading::Reading;
use super::wanted::{self, Wanted, pointed};
use crate::hub::Hub;
use crate::journal::JournalError;
use crate::log_limiter::limited;
use crate::metrics::Refusal;
use crate::player::PlayError;
use crate::report::History;
use crate::scenario::{NotOffered, SettingsError};
use crate::server::control::{IncidentControl, TriggerError};
use crate::server::door::ConnectionInfo;
use crate::server::lifecycle::Lifecycle;
use crate::server::peers::Peers;
use crate::server::turns::Turn;

/// A state of so few bytes is written on the runtime's threads: handing it to another thread would cost more.
const FEW_BYTES: usize = 64 * 1024;

/// `GET /api/servers`: where a page goes on when this server is away.
pub(in crate::server) async fn servers(State(peers): State<Arc<Peers>>) -> Response {
    let servers: Vec<String> = peers.all.iter().map(ToString::to_string).collect();
    Json(json!({ "servers": servers })).into_response()
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
    let (Wanted { scenario, seed, speed, settings }, wrong) = wanted::read(&body)?;
    let scenario = scenario.unwrap_or_default();
    if !wrong.is_empty() {
        let problem = wrong.into_problem();
        // Whoever mends these mistakes should not find others then.
        return Err(match control.refuses(&scenario, &settings).filter(|_| !scenario.is_empty()) {
            Some(error) => problem.also(error.into()),
            None => problem,
        });
    }
    let started = control.trigger(info.peer(), &scenario, seed, speed, settings).await?;
    let location = format!("{base}/api/incidents/{}", started.id);
    let body = json!({ "id": started.id, "stream": hub.stream(), "position": started.position });
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(body)).into_response())
}

/// `GET /api/incidents/ID`
pub(in crate::server) async fn incident(
    State(incidents): State<Arc<Incidents>>,
    State(quota): State<Arc<Quota>>,
    Extension(info): Extension<ConnectionInfo>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let (incidents, quota, info, name) = (&*incidents, &*quota, &info, id.as_str());
    let look = |turn: Turn| async move {
        let mut reading = Reading::new(quota, Work::Answer, info, turn);
        let Some(incident) = incidents.incident(name, &mut reading).await? else { return Ok(None) };
        if incident.bytes() <= FEW_BYTES {
            return json_text(&incident).map(Some);
        }
        let held = reading.held();
        let text = off_workers(move || {
            let text = json_text(&incident);
            drop(held);
            text
        });
        text.await?.map(Some)
    };
    let text = quota.find(Work::Answer, info.peer(), look).await?.ok_or_else(|| no_incident(&id))?;
    quota.answer(info.peer(), "application/json", text)
}

/// `GET /api/incidents/ID/report.md`
pub(in crate::server) async fn report(
    State(incidents): State<Arc<Incidents>>,
    State(quota): State<Arc<Quota>>,
    Extension(info): Extension<ConnectionInfo>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let (incidents, quota, info, name) = (&*incidents, &*quota, &info, id.as_str());
    let look = |turn: Turn| async move {
        let mut reading = Reading::new(quota, Work::Report, info, turn);
        let Some(told) = incidents.told(name, &mut reading).await? else { return Ok(None) };
        let held = reading.held();
        let text = off_workers(move || {
            let text = History::of(told).pop().map(|history| history.markdown());
            // Also when the client is gone: the turn lasts until the work is done.
            drop(held);
            text
        });
        Ok(text.await?)
    };
    let text = quota.find(Work::Report, info.peer(), look).await?.ok_or_else(|| no_incident(&id))?;
    quota.answer(info.peer(), "text/markdown; charset=utf-8", text)
}

/// How long a cancellation waits until it begins: with the 5 s that it has at least then, less than clients wait.
const BEGUN_WITHIN: Duration = Duration::from_secs(20);

/// `DELETE /api/incidents/ID` cancels it.
pub(in crate::server) async fn cancel(
    State(control): State<Arc<IncidentControl>>,
    State(hub): State<Arc<Hub>>,
    State(incidents): State<Arc<Incidents>>,
    State(quota): State<Arc<Quota>>,
    Extension(info): Extension<ConnectionInfo>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let began = Instant::now();
    let (player, incidents, quota, info, name) = (&control.player, &*incidents, &*quota, &info, id.as_str());
    // The turn comes before anything is done: a request that is refused has changed nothing.
    let cancel = |turn: Turn| async move {
        let mut reading = Reading::new(quota, Work::End, info, turn);
        let aside = reading.stand_aside(incidents.behind(name).await?);
        timeout_at(began + BEGUN_WITHIN, aside).await.unwrap_or_else(|_| Err(busy()))?;
        Ok(player.cancel_holding(name, reading.held(), began).await?)
    };
    let ended = quota.find(Work::End, info.peer(), cancel).await?.ok_or_else(|| no_incident(&id))?;
    let body = json!({
        "id": id,
        "stream": hub.stream(),
        "position": ended.position,
        "outcome": ended.outcome,
        "cancelled_now": ended.cancelled_now,
    });
    Ok(Json(body).into_response())
}

pub(super) fn json_answer(
    quota: &Quota,
    address: IpAddr,
    content: &impl Serialize,
) -> Result<Response, Problem> {
    quota.answer(address, "application/json", json_text(content)?)
}

fn json_text(content: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(content)
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

pub(super) fn no_incident(id: &str) -> Problem {
    Problem::not_found(format!("no incident is called {id:?}; GET /api/incidents lists them"))
}

impl From<PathRejection> for Problem {
    fn from(error: PathRejection) -> Self {
        // The only way in which a text in a path can't be read.
        let detail = "the name in the path is not UTF-8: write each byte of its UTF-8 as %XX, as in /api/incidents/caf%C3%A9";
        match error.status() {
            StatusCode::BAD_REQUEST => Self::bad_request(detail),
            status => Self::new(status, "the path can't be read"),
        }
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
                let detail = format!("no scenario is called {name:?}: {hint}");
                Self::not_found(detail.clone()).at("/scenario", detail)
            }
            TriggerError::Settings(error) => {
                let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string());
                let members: Option<Vec<_>> = match error {
                    SettingsError::NotOffered(settings) => {
                        let told = settings.into_iter().take(SettingsError::MOST);
                        Some(told.map(|NotOffered { key, why }| (key, why)).collect())
                    }
                    // If another mistake is among them, the detail names all.
                    SettingsError::File(error) => {
                        let mistakes = error.diagnostics.into_iter();
                        mistakes
                            .map(|mistake| mistake.parameter.map(|name| (name, mistake.message)))
                            .collect()
                    }
                };
                members.into_iter().flatten().fold(problem, |problem, (key, why)| {
                    problem.at(format!("/settings/{}", pointed(&key)), why)
                })
            }
            TriggerError::Compile(error) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            TriggerError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
                .with_header(header::RETRY_AFTER, "2")
                .because(Refusal::Busy),
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
            PlayError::TooMany | PlayError::TooLarge => later(&error).because(Refusal::Incidents),
            PlayError::Unplayable(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            PlayError::Stopping
            | PlayError::TakenOver
            | PlayError::Begun
            | PlayError::Unanswered
            | PlayError::Ending => later(&error),
            PlayError::Journal(error) => error.into(),
        }
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        limited!(error, "the journal failed a request", %error);
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
