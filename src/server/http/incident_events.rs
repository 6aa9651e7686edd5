//! `GET /api/incidents/ID/events`: the events of one incident as they were streamed, a bounded part per request, so that a page
//! that opens an incident which has ended needs neither the whole journal nor a second stream.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::api::no_incident;
use super::incidents::{Incidents, NoPart};
use super::problem::Problem;
use super::query::{Pairs, Parameter};
use super::quota::{Quota, Work};
use crate::contract::ResetReason;
use crate::server::door::ConnectionInfo;
use crate::server::turns::Turn;

/// The number of the last event that the client has.
const AFTER: Parameter = Parameter {
    name: "after",
    is: "the number in the position of an event, a whole number from 0, as in ?after=17",
};

/// One event per line, after the position `after`. A `Link` says where the next part is; without one there are no more for now.
pub(in crate::server) async fn incident_events(
    State(incidents): State<Arc<Incidents>>,
    State(quota): State<Arc<Quota>>,
    Extension(info): Extension<ConnectionInfo>,
    id: Result<Path<String>, PathRejection>,
    query: Pairs,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let after = AFTER.read(query, |text| text.parse().ok()).map_err(Problem::bad_request)?.unwrap_or(0);
    // Another server has sent the event at that position: what follows it may not be read here either.
    quota.reach(info.peer(), after).await?;
    let (incidents, name) = (&*incidents, id.as_str());
    let look = |turn: Turn| async move {
        let part = incidents.part(name, after).await;
        drop(turn);
        match part {
            Ok(part) => Ok(Some(part)),
            Err(NoPart::Unknown) => Ok(None),
            Err(NoPart::Journal(error)) => Err(error.into()),
            Err(NoPart::Expired(oldest)) => Err(expired(name, after, oldest)),
        }
    };
    let part = quota.find(Work::Answer, info.peer(), look).await?.ok_or_else(|| no_incident(&id))?;
    let mut response = quota.answer(info.peer(), "application/x-ndjson", part.lines)?;
    // Relative, so that it also holds behind a proxy with a path of its own.
    let link = part.next.map(|next| HeaderValue::try_from(format!("<?after={next}>; rel=\"next\"")));
    if let Some(Ok(link)) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// What a `reset` with the reason `expired` says on the stream.
fn expired(id: &str, after: u64, oldest: u64) -> Problem {
    let detail = format!(
        "retention has dropped events after position {after}, maybe some of {id}: the oldest event that is kept has position {oldest}; \
         drop what you have of {id}, and ask again without `after` for what is kept"
    );
    let problem = Problem::new(StatusCode::GONE, detail);
    problem.with("reason", ResetReason::Expired.as_str()).with("oldest", oldest)
}
