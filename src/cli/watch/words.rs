//! What `watch` says of incidents, and of positions that can't be resumed.

use super::args::Watch;
use crate::cli::exit::Exit;
use crate::cli::format;
use crate::cli::known::{self, Known};
use crate::cli::out::say_with_command;
use crate::contract::ResetReason;
use crate::report::{IncidentState, IncidentStatus};
use crate::shell::word;
use crate::visible::visible;

/// How many open incidents are named when the user leaves. A server may have thousands.
const GO_ON: usize = 5;

/// Says which incidents are still open when the user leaves, if it is known; else, which may be.
pub(super) fn say_open(watch: &Watch, states: &Known, is_sure: bool) {
    let wanted = watch.incident.as_deref();
    let open = states.incidents().iter().filter(|incident| incident.state == IncidentStatus::Open);
    let open: Vec<_> = open.filter(|incident| wanted.is_none_or(|id| id == incident.id)).collect();
    let flags = watch.remote.flags();
    let goes_on = known::goes_on(is_sure);
    let (others, newest) = open.split_at(open.len().saturating_sub(GO_ON));
    for incident in newest {
        let (id, shown) = (&incident.id, word(&incident.id));
        let command = format!("incident watch --incident {shown}{flags}");
        say_with_command(&format!("{id} {goes_on}. Watch it:"), &command);
    }
    let list = format!("incident list --running{flags}");
    match others.len() {
        0 => {}
        1 => say_with_command(&format!("Another incident {goes_on}, too:"), &list),
        many => say_with_command(
            &format!("{many} other incidents {}, too:", goes_on.replace("goes", "go")),
            &list,
        ),
    }
}

/// Why a position can't be resumed.
pub(super) fn explain(reason: ResetReason) -> &'static str {
    match reason {
        ResetReason::OtherStream => "the position belongs to another stream",
        ResetReason::Expired => "the events after it are deleted",
        ResetReason::Ahead => "the position is ahead of the stream",
    }
}

/// What is said of an incident that has ended unseen.
pub(super) fn already(ended: &IncidentState) -> String {
    let id = visible(&ended.id);
    match (ended.state, ended.offset_s) {
        (IncidentStatus::Cancelled, _) => format!("{id} is already cancelled"),
        (_, Some(took)) => format!("{id} is already resolved, after {}", format::clock(took)),
        (_, None) => format!("{id} is already resolved"),
    }
}

/// The exit status for an incident that has ended.
pub(super) fn exit_of(state: IncidentStatus) -> Exit {
    if state == IncidentStatus::Cancelled { Exit::Unresolved } else { Exit::Fine }
}
