//! What people and programs add to a drill that this server plays: actions, and nothing that the scenario tells.

use serde_json::json;

use super::waiting::Mode;
use crate::contract::MessageType;
use crate::ingest::{Fault, Kind, Refused, Sound};
use crate::journal::{Appended, JournalError, Key};
use crate::player::{AddError, Adding, Addition, NotAdded, Player};

/// Fields of an action by which the scenario tells the course of a drill.
const OF_SCENARIO: [&str; 6] = ["marks", "hypotheses", "forecast", "step", "attempt", "phase"];

/// An event as an addition to a drill. `other` says that the request has events of other incidents before it.
///
/// # Errors
/// The scenario alone tells such an event.
pub(super) fn addition(sound: &Sound, other: bool) -> Result<Addition, Vec<Fault>> {
    let (event, digest) = (sound.event(), sound.digest());
    let fault = |pointer: &str, detail: String| Fault::new(Kind::IncidentIsPlayed, pointer, detail);
    if other {
        return Err(vec![apart()]);
    }
    let (subject, kind) = (&event.subject, event.kind.as_str());
    if event.kind != MessageType::AgentAction {
        let detail =
            format!("{subject} is a drill, whose {kind} comes from its scenario; only actions can be added");
        return Err(vec![fault("/type", detail)]);
    }
    let faults: Vec<_> = OF_SCENARIO
        .iter()
        .filter(|name| event.data.contains_key(**name))
        .map(|name| {
            fault(
                &format!("/data/{name}"),
                format!("{subject} is a drill, whose {name} come from its scenario"),
            )
        })
        .collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut data = event.data.clone();
    data.insert("origin".to_owned(), json!({ "source": event.source, "id": event.id }));
    data.insert("observed_at".to_owned(), format!("{:.6}", event.time).into());
    let key = Key { source: event.source.clone(), id: event.id.clone(), digest };
    Ok(Addition { key, data, after_index: event.after_index })
}

/// The refusal of a request that mixes a drill with other incidents: the two are not stored together.
pub(super) fn apart() -> Fault {
    let detail = "send the actions of a drill in a request of their own";
    Fault::new(Kind::IncidentIsPlayed, "/subject", detail)
}

/// Adds actions to a drill: for each its place, or in [`Mode::Each`] why it has none. The other refusals name the action by its
/// number among them.
pub(super) async fn add(
    player: &Player,
    id: &str,
    additions: Vec<Addition>,
    mode: Mode,
) -> Result<Vec<Result<Appended, Vec<Fault>>>, Refused> {
    let count = additions.len();
    let adding = if mode == Mode::Each { Adding::Each } else { Adding::Together };
    match player.add(id, additions, adding).await {
        Ok(outcomes) => {
            let of = |outcome| match outcome {
                Ok(appended) => Ok(Ok(appended)),
                Err(error) => fault(&error).map(|fault| Err(vec![fault])),
            };
            outcomes.into_iter().map(of).collect()
        }
        Err(NotAdded { action, error }) => {
            let fault = fault(&error)?;
            if mode == Mode::Each {
                return Ok(vec![Err(vec![fault]); count]);
            }
            Err(Refused::of(vec![fault.of(action.unwrap_or_default())]))
        }
    }
}

/// What is wrong with an action.
///
/// # Errors
/// Nothing is: the drill takes no action now.
fn fault(error: &AddError) -> Result<Fault, Refused> {
    let of = |kind, pointer: &str| Fault::new(kind, pointer, error.to_string());
    Ok(match error {
        AddError::NotPlayed => of(Kind::IncidentIsPlayed, "/subject"),
        AddError::Moved { current } => {
            Fault { current: Some(*current), ..of(Kind::IndexMoved, "/afterindex") }
        }
        AddError::Cause { .. } => of(Kind::Value, "/data/caused_by"),
        AddError::TooMuch { pointer, .. } => of(Kind::Value, pointer),
        AddError::Journal(JournalError::Ended { .. }) => of(Kind::IncidentClosed, "/subject"),
        AddError::Journal(JournalError::KeyReused { .. }) => of(Kind::IdReused, "/id"),
        AddError::Journal(JournalError::Refused(_)) => of(Kind::TooLarge, ""),
        AddError::Later => return Err(Refused::whole(Kind::Busy, error.to_string())),
        AddError::Elsewhere | AddError::Journal(JournalError::LeaseLost) => {
            return Err(Refused::whole(Kind::PlayedElsewhere, error.to_string()));
        }
        AddError::Journal(_) => return Err(Refused::whole(Kind::JournalPaused, error.to_string())),
    })
}
