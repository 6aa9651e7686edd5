//! The timeline: all actions, without the samples of the metrics.

use std::collections::HashSet;

use jiff::Timestamp;

use super::section::section;
use super::text::{code, measure, table, text};
use crate::contract::{AgentAction, Evidence, Mark, Status};
use crate::report::history::{ActionEvent, History};
use crate::report::rejection::rejection;
use crate::report::state::IncidentStatus;
use crate::report::words;

/// The section with one row per action, from the start of the impact to the end of the incident or of the recording.
pub(super) fn timeline(history: &History) -> String {
    let incident = &history.incident;
    let mut rows = Vec::new();
    let began = incident.impact_started_at;
    if let Some(began) = began {
        let what = format!("**Impact begins:** {}", text(&incident.title));
        rows.push(row(history, 1, 0.0, began, ["", "", ""], what));
    }
    // The steps that have begun, or failed and been tried again. A step that repeats is done each time, and begins anew.
    let mut begun = HashSet::new();
    for event in &history.actions {
        let action = &event.action;
        let ends = action.step.as_ref().is_some_and(|step| match action.status {
            Status::Completed => begun.remove(step),
            Status::InProgress | Status::Failed => begun.insert(step),
        });
        let confidence =
            action.confidence.filter(|_| belief(action).is_none()).map(words::percent).unwrap_or_default();
        let phase = action.phase.as_deref().map(text).unwrap_or_default();
        let columns = [&*phase, &*text(&action.agent), &*confidence];
        rows.push(row(history, event.index, event.offset_s, event.time, columns, what(history, event, ends)));
    }
    let phase = incident.phase.as_deref().map(text).unwrap_or_default();
    let end = match (&incident.resolution, incident.state) {
        (Some(resolution), IncidentStatus::Resolved) => {
            format!("**Resolved:** {}", text(&resolution.summary))
        }
        (Some(resolution), _) => format!("**Cancelled:** {}", text(&resolution.summary)),
        (None, _) => "The recording ends here; the incident was still open".to_owned(),
    };
    rows.push(row(history, incident.index, history.newest_s(), incident.time, [&phase, "", ""], end));
    let head = ["Event", "Time", "UTC", "Phase", "Agent", "Confidence", "What"];
    let pace = if history.is_real_time() { "" } else { ", and it was not played in real time" };
    let notes = format!(
        "\nTime is incident time since the impact began; UTC is when the event was published{pace}. “Event” is its \
         number in the incident, and “because of” names the event that led to this one.\n"
    );
    section("Timeline", &(table(&head, &rows) + &notes + &roles(history)))
}

fn row(
    history: &History,
    index: u64,
    offset_s: f64,
    time: Timestamp,
    [phase, agent, confidence]: [&str; 3],
    what: String,
) -> Vec<String> {
    // A row on another day than the first one shows the date too.
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    let first =
        history.incident.impact_started_at.or_else(|| history.actions.first().map(|event| event.time));
    let form =
        if first.is_none_or(|first| day(first) == day(time)) { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    let utc = time.strftime(form).to_string();
    let columns = [
        index.to_string(),
        history.stamp(offset_s),
        utc,
        phase.to_owned(),
        agent.to_owned(),
        confidence.to_owned(),
        what,
    ];
    columns.into()
}

/// The text of an action: milestone, status, summary, attempt, cause, evidence, delay. `ends` says that an earlier event has
/// told that the step began, or failed at first.
fn what(history: &History, event: &ActionEvent, ends: bool) -> String {
    let action = &event.action;
    let mut parts: Vec<String> =
        event.reached.iter().map(|mark| format!("**{}.**", milestone(*mark))).collect();
    match action.status {
        Status::InProgress => parts.push("Begins:".to_owned()),
        Status::Failed => parts.push("**Failed:**".to_owned()),
        Status::Completed if ends => parts.push("Done:".to_owned()),
        Status::Completed => {}
    }
    parts.push(text(&action.summary));
    let mut asides = Vec::new();
    asides.extend(belief(action).map(|belief| text(&belief)));
    asides.extend(action.attempt.filter(|attempt| *attempt > 1).map(|attempt| format!("attempt {attempt}")));
    asides.extend(action.caused_by.map(|cause| format!("because of event {cause}")));
    asides.extend(action.late_s.map(|late_s| format!("published {} late", words::duration(late_s))));
    if !action.evidence.is_empty() {
        let evidence: Vec<String> = action.evidence.iter().map(|one| evidence(history, one)).collect();
        asides.push(format!("evidence: {}", evidence.join(", ")));
    }
    if !asides.is_empty() {
        parts.push(format!("({})", asides.join("; ")));
    }
    parts.join(" ")
}

/// What an action that rejects a hypothesis has instead of a confidence.
fn belief(action: &AgentAction) -> Option<String> {
    let beliefs = action.hypotheses.iter().map(|belief| (belief.claim.as_str(), belief.p));
    rejection(&action.action, action.confidence, beliefs)
}

/// Evidence: ``metric `error_rate` 31.0%``, ``log `orders-db` “remaining connection slots are reserved”``.
fn evidence(history: &History, evidence: &Evidence) -> String {
    let mut written = format!("{} {}", text(&evidence.kind), code(&evidence.reference));
    if let Some(value) = evidence.value {
        let unit = history.incident.units.get(&evidence.reference).map_or("", String::as_str);
        written += &format!(" {}", measure(value, unit));
    }
    if let Some(said) = &evidence.text {
        written += &format!(" “{}”", text(said));
    }
    written
}

fn milestone(mark: Mark) -> &'static str {
    match mark {
        Mark::Detected => "Detected",
        Mark::Diagnosed => "Diagnosed",
        Mark::Mitigated => "Mitigated",
    }
}

/// The agents and their tasks.
fn roles(history: &History) -> String {
    let known = history.incident.agents.iter().filter(|agent| !agent.role.is_empty());
    let roles: Vec<String> =
        known.map(|agent| format!("{} ({})", code(&agent.id), text(&agent.role))).collect();
    if roles.is_empty() { String::new() } else { format!("\nAgents: {}.\n", roles.join(", ")) }
}
