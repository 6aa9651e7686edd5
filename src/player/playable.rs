//! Whether a plan can be played to its end. An incident that began and can't be ended would stay open for ever, so this is
//! asked before its first event is appended.

use crate::contract::{MessageType, Role, check_size};
use crate::plan::{Plan, PlannedEvent};

/// Bytes that the player adds to the first event: the speed and the moment of second 0.
const STAMP_BYTES: usize = 96;

/// Bytes that the player adds to an action that is late.
const LATE_BYTES: usize = 48;

/// Checks every event of a plan whose incident has this name and the first `played` events already.
///
/// # Errors
/// Which event the journal would refuse, and why; or that the plan does not begin or end an incident.
pub(super) fn check(name: &str, plan: &Plan, played: usize) -> Result<(), String> {
    let events = plan.events();
    let Some(last) = events.len().checked_sub(1) else { return Err("the plan has no events".to_owned()) };
    if played > last {
        return Err(format!("its {played} events are all of its plan, and it has not ended"));
    }
    for (place, event) in events.iter().enumerate().skip(played) {
        let index = place + 1;
        let expected = match place {
            0 => Role::Start,
            _ if place == last => Role::End,
            _ => Role::Middle,
        };
        if event.kind().role() != expected {
            let kind = event.kind().as_str();
            return Err(format!("event {index} of {} in its plan is {kind}", events.len()));
        }
        let bytes = event.data().get().len() + added(event);
        check_size(name, event.kind(), bytes).map_err(|why| format!("event {index}: {why}"))?;
    }
    Ok(())
}

fn added(event: &PlannedEvent) -> usize {
    match event.kind() {
        MessageType::IncidentStarted => STAMP_BYTES,
        MessageType::AgentAction => LATE_BYTES,
        _ => 0,
    }
}
