//! What happened when, by whom: every action, no samples.

use jiff::Timestamp;

use super::section;
use super::text::{code, measure, table, text};
use crate::contract::{AgentAction, Evidence, Mark, Status};
use crate::report::{Act, History, State, rejection, words};

/// From the start of the impact to the end, or to where the recording ends.
pub(super) fn timeline(history: &History) -> String {
    let incident = &history.incident;
    let mut rows = Vec::new();
    let began = incident.impact_started_at;
    if let Some(began) = began {
        let what = format!("**Impact begins:** {}", text(&incident.title));
        rows.push(row(history, 1, 0.0, began, ["", "", ""], what));
    }
    for act in &history.acts {
        let action = &act.action;
        let confidence =
            action.confidence.filter(|_| belief(action).is_none()).map(words::percent).unwrap_or_default();
        let phase = action.phase.as_deref().map(text).unwrap_or_default();
        let columns = [&*phase, &*text(&action.agent), &*confidence];
        rows.push(row(history, act.index, act.offset_s, act.time, columns, what(history, act)));
    }
    let phase = incident.phase.as_deref().map(text).unwrap_or_default();
    let end = match (&incident.resolution, incident.state) {
        (Some(resolution), State::Resolved) => format!("**Resolved:** {}", text(&resolution.summary)),
        (Some(resolution), _) => format!("**Cancelled:** {}", text(&resolution.summary)),
        (None, _) => "The recording ends here; the incident was still open".to_owned(),
    };
    rows.push(row(history, incident.index, incident.offset_s, incident.time, [&phase, "", ""], end));
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
    // A day that is not the first one's has to be told.
    let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
    let first = history.incident.impact_started_at.or_else(|| history.acts.first().map(|act| act.time));
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

/// Milestone, how far, what, because of what, resting on what, how late.
fn what(history: &History, act: &Act) -> String {
    let action = &act.action;
    let mut told: Vec<String> = act.reached.iter().map(|mark| format!("**{}.**", milestone(*mark))).collect();
    let begun = |earlier: &&Act| {
        earlier.action.step.is_some() && earlier.action.step == action.step && earlier.index < act.index
    };
    match action.status {
        Status::InProgress => told.push("Begins:".to_owned()),
        Status::Failed => told.push("**Failed:**".to_owned()),
        Status::Completed if history.acts.iter().rfind(begun).is_some() => told.push("Done:".to_owned()),
        Status::Completed => {}
    }
    told.push(text(&action.summary));
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
        told.push(format!("({})", asides.join("; ")));
    }
    told.join(" ")
}

/// What an action that rejects a hypothesis has instead of a confidence.
fn belief(action: &AgentAction) -> Option<String> {
    let beliefs = action.hypotheses.iter().map(|belief| (belief.claim.as_str(), belief.p));
    rejection(&action.action, action.confidence, beliefs)
}

/// ``metric `error_rate` 31.0%``, ``log `orders-db` “remaining connection slots are reserved”``
fn evidence(history: &History, evidence: &Evidence) -> String {
    let mut told = format!("{} {}", text(&evidence.kind), code(&evidence.reference));
    if let Some(value) = evidence.value {
        let unit = history.incident.units.get(&evidence.reference).map_or("", String::as_str);
        told += &format!(" {}", measure(value, unit));
    }
    if let Some(said) = &evidence.text {
        told += &format!(" “{}”", text(said));
    }
    told
}

fn milestone(mark: Mark) -> &'static str {
    match mark {
        Mark::Detected => "Detected",
        Mark::Diagnosed => "Diagnosed",
        Mark::Mitigated => "Mitigated",
    }
}

/// Who they are, for a reader who does not know them.
fn roles(history: &History) -> String {
    let known = history.incident.agents.iter().filter(|agent| !agent.role.is_empty());
    let roles: Vec<String> =
        known.map(|agent| format!("{} ({})", code(&agent.id), text(&agent.role))).collect();
    if roles.is_empty() { String::new() } else { format!("\nAgents: {}.\n", roles.join(", ")) }
}
