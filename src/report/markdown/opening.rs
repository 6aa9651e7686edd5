//! The title, and the notices that a reader has to see before any number.

use jiff::Timestamp;

use super::text::{code, text};
use crate::report::history::History;
use crate::report::state::IncidentStatus;
use crate::report::words;

/// Severity and title; then the id, when the incident began and how it ended.
pub(super) fn title(history: &History) -> String {
    let incident = &history.incident;
    let heading = match incident.severity {
        Some(severity) => format!("{}: {}", severity.as_str(), text(&incident.title)),
        None => format!("Incident {}", text(&incident.id)),
    };
    let mut facts = vec![format!("Post-incident report of {}", code(&incident.id))];
    facts.extend(incident.impact_started_at.map(|began| format!("impact began {} UTC", second(began))));
    facts.push(match incident.state {
        IncidentStatus::Resolved => format!("resolved after {}", words::duration(history.lasted_s())),
        IncidentStatus::Cancelled => format!("cancelled after {}", words::duration(history.lasted_s())),
        IncidentStatus::Open => "not resolved".to_owned(),
    });
    format!("# {heading}\n\n{}\n", facts.join(" · "))
}

/// Notices: whether the incident was a drill or real, and that events are missing.
pub(super) fn notices(history: &History) -> String {
    let incident = &history.incident;
    let mut notices = Vec::new();
    if history.synthetic {
        notices.push(
            "**This was a drill.** Every event is simulated: no system failed, nobody was affected, no money was \
             lost."
                .to_owned(),
        );
    } else if incident.severity.is_some() {
        notices.push("**This was a real incident.** Its publishers told it as it happened.".to_owned());
    }
    for (from, to) in &history.missing {
        let missing =
            if from == to { format!("event {from} is") } else { format!("events {from} to {to} are") };
        notices.push(if *from == 1 {
            let known = if incident.severity.is_none() { " Title, severity, services and target are not known." } else { "" };
            let times = match (history.is_timed, incident.impact_started_at, history.synthetic, incident.state) {
                (false, ..) => " When it began is not known, so how long anything took is not either.",
                (true, None, false, IncidentStatus::Resolved | IncidentStatus::Cancelled) => {
                    " Its seconds are counted back from its resolution."
                }
                _ => "",
            };
            format!(
                "**The beginning is missing.** The recording begins in the middle: {missing} not in it.{known}{times}"
            )
        } else {
            format!("**Events are missing.** The recording has a gap: {missing} not in it and not in this report.")
        });
    }
    if incident.state == IncidentStatus::Open {
        notices.push(format!(
            "**Still open.** The recording ends here, with event {} at {} ({} UTC), before the resolution. What came \
             later is not in this report.",
            incident.index,
            history.stamp(history.newest_s()),
            second(incident.time),
        ));
    }
    notices.iter().map(|notice| format!("> {notice}\n")).collect::<Vec<_>>().join(">\n")
}

/// A time to the second: `2026-11-23 16:53:49`.
pub(super) fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
