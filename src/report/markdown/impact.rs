//! The sections about the impact and about how long the incident took.

use super::section::section;
use super::text::{money, table, text};
use crate::contract::{Durations, Mark};
use crate::report::history::{History, MetricSample};
use crate::report::state::IncidentStatus;
use crate::report::words;

/// Services, users and money.
pub(super) fn impact(history: &History) -> String {
    let incident = &history.incident;
    let services: Vec<String> = incident.services.iter().map(|name| text(name)).collect();
    let services = (!services.is_empty()).then(|| format!("**Services:** {}", services.join(", ")));
    let users = incident.users_peak.map(|peak| format!("**Users:** {}", users(history, peak)));
    let cost = incident.cost.as_ref().map(|cost| {
        let rates = history.samples.iter().filter_map(|sample| sample.cost.as_ref());
        let worst = rates.map(|cost| cost.per_minute).fold(0.0, f64::max);
        let rate = if worst > 0.0 {
            format!(", {} a minute at the worst", money(cost, worst))
        } else {
            String::new()
        };
        format!("**Cost:** {} in all{rate}", money(cost, cost.total))
    });
    let items = [services, users, cost].into_iter().flatten().map(|item| format!("- {item}\n"));
    section("Impact", &items.collect::<String>())
}

/// The highest number of affected users, and from when to when users were affected.
fn users(history: &History, peak: u64) -> String {
    let affected = |sample: &MetricSample| sample.users_affected.unwrap_or_default();
    let mut text = format!("{} at the worst", words::grouped(peak as f64));
    if !history.is_timed {
        return text;
    }
    let worst = history.samples.iter().find(|sample| peak > 0 && affected(sample) == peak);
    if let Some(worst) = worst {
        text += &format!(" ({})", history.stamp(worst.offset_s));
    }
    let mut with_users = history.samples.iter().filter(|sample| affected(sample) > 0);
    if let Some(first) = with_users.next() {
        let last = with_users.next_back().unwrap_or(first);
        text += &format!(
            "; users were affected from {} to {}",
            history.stamp(first.offset_s),
            history.stamp(last.offset_s)
        );
    }
    text
}

/// All milestones in the order in which they were reached.
pub(super) fn durations(history: &History) -> String {
    let incident = &history.incident;
    let durations = reached(history);
    let end = match incident.state {
        IncidentStatus::Resolved => Some(("Resolved", durations.resolve_s)),
        IncidentStatus::Cancelled => Some(("Cancelled", durations.resolve_s)),
        IncidentStatus::Open => None,
    };
    let marks = [
        ("Detected", durations.detect_s),
        ("Diagnosed", durations.diagnose_s),
        ("Mitigated", durations.mitigate_s),
    ];
    let mut reached: Vec<(&str, f64)> =
        marks.iter().filter_map(|(name, after_s)| Some((*name, (*after_s)?))).collect();
    reached.sort_by(|one, two| one.1.total_cmp(&two.1));
    reached.extend(end);
    let mut before = 0.0;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, after_s) in reached {
        // The difference of the full seconds in the table, so that the columns add up.
        let step = words::whole(after_s).saturating_sub(words::whole(before)) as f64;
        rows.push(vec![name.to_owned(), words::duration(after_s), words::duration(step)]);
        before = after_s;
    }
    // Before its end, an incident does not say what was reached in a part that is missing.
    let not_seen = match (&incident.resolution, history.missing.is_empty()) {
        (None, false) => "not known",
        _ => "not reached",
    };
    for (name, _) in marks.iter().filter(|(_, after_s)| after_s.is_none()) {
        rows.push(vec![(*name).to_owned(), not_seen.to_owned(), String::new()]);
    }
    if incident.state == IncidentStatus::Open {
        rows.push(vec!["Resolved".to_owned(), "not reached".to_owned(), String::new()]);
    }
    let target = incident.target_s.map(|target_s| {
        let verdict = against_target(history, " ");
        let verdict =
            if verdict.is_empty() { "Not resolved".to_owned() } else { format!("Resolved{verdict}") };
        format!("\nTarget: {}. {verdict}.\n", words::duration(target_s))
    });
    let table = table(&["Milestone", "After", "Since the one before"], &rows);
    section("How long it took", &(table + &target.unwrap_or_default()))
}

/// `on target`, `24 s over target`, `2 min under target`; nothing if the incident was not resolved or had no target.
pub(super) fn against_target(history: &History, before: &str) -> String {
    let incident = &history.incident;
    let (Some(target_s), IncidentStatus::Resolved) = (incident.target_s, incident.state) else {
        return String::new();
    };
    let (target, took) = (words::whole(target_s), words::whole(history.lasted_s()));
    let verdict = match took.abs_diff(target) {
        0 => "on target".to_owned(),
        by if took > target => format!("{} over target", words::duration(by as f64)),
        by => format!("{} under target", words::duration(by as f64)),
    };
    format!("{before}{verdict}")
}

/// The times of the milestones as the resolution has them; what it lacks, as the events have told it. What came before the impact took
/// no time of it, as in a resolution.
pub(super) fn reached(history: &History) -> Durations {
    let incident = &history.incident;
    let told =
        incident.resolution.as_ref().map(|resolution| resolution.durations.clone()).unwrap_or_default();
    let reached = |known: Option<f64>, mark: Mark| {
        known.and(history.reached(mark)).map(|event| event.offset_s.max(0.0))
    };
    Durations {
        detect_s: told.detect_s.or_else(|| reached(incident.marks.detected, Mark::Detected)),
        diagnose_s: told.diagnose_s.or_else(|| reached(incident.marks.diagnosed, Mark::Diagnosed)),
        mitigate_s: told.mitigate_s.or_else(|| reached(incident.marks.mitigated, Mark::Mitigated)),
        resolve_s: history.lasted_s(),
    }
}
