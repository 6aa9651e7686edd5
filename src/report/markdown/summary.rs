//! The summary: the incident in one paragraph.

use super::impact::{against_target, reached};
use super::section::section;
use super::text::{code, money, quoted, text};
use crate::contract::Mark;
use crate::report::beliefs::{BeliefHistory, belief_histories};
use crate::report::failures::{FailedAction, failed_actions};
use crate::report::history::History;
use crate::report::state::IncidentStatus;
use crate::report::words;

/// One paragraph, composed of sentences about the events.
pub(super) fn summary(history: &History) -> String {
    let sentences =
        [extent(history), cause(history), milestones(history), failures(history), outcome(history)];
    let sentences: Vec<String> = sentences.into_iter().filter(|sentence| !sentence.is_empty()).collect();
    section("Summary", &format!("{}\n", sentences.join(" ")))
}

/// What was affected, for how long, how many users, and the cost.
fn extent(history: &History) -> String {
    let incident = &history.incident;
    let services: Vec<String> = incident.services.iter().map(|name| format!("**{}**", text(name))).collect();
    let took = words::duration(history.lasted_s());
    let who = words::list(&services);
    let mut sentence = match (services.len(), incident.state) {
        _ if !history.is_timed => "How long the incident has lasted is not known.".to_owned(),
        (0, IncidentStatus::Open) => format!("The incident has lasted {took} so far."),
        (0, _) => format!("The incident lasted {took}."),
        (1, IncidentStatus::Open) => format!("{who} has been affected for {took} so far."),
        (1, _) => format!("{who} was affected for {took}."),
        (_, IncidentStatus::Open) => format!("{who} have been affected for {took} so far."),
        (_, _) => format!("{who} were affected for {took}."),
    };
    let users = incident.users_peak.map(|users| words::grouped(users as f64));
    let cost = incident.cost.as_ref().map(|cost| money(cost, cost.total));
    sentence += &match (users, cost) {
        (Some(users), Some(cost)) => format!(" At the worst {users} users suffered; it cost {cost}."),
        (Some(users), None) => format!(" At the worst {users} users suffered."),
        (None, Some(cost)) => format!(" It cost {cost}."),
        (None, None) => String::new(),
    };
    sentence
}

/// The cause, and the hypotheses that were believed before.
fn cause(history: &History) -> String {
    let resolution = history.incident.resolution.as_ref();
    let Some(root) = resolution.and_then(|resolution| resolution.root_cause.as_deref()) else {
        return favourite(history);
    };
    let mut beliefs = belief_histories(history);
    let Some(place) = beliefs.iter().position(|belief| belief.hypothesis.id == root) else {
        return format!("The cause was {}.", code(root));
    };
    let proven = beliefs.remove(place);
    let claim = quoted(&proven.hypothesis.claim);
    beliefs.retain(|belief| !belief.led.is_empty());
    beliefs.sort_by(|one, two| first_led(one).total_cmp(&first_led(two)));
    let others: Vec<String> = beliefs.iter().map(|belief| quoted(&belief.hypothesis.claim)).collect();

    match proven.led.last() {
        _ if others.is_empty() => format!("The cause was {claim}."),
        Some((from_s, None)) => format!(
            "The cause was {claim}. It was believed most only from {} on; before that, it was {}.",
            history.stamp(*from_s),
            words::list(&others)
        ),
        _ => format!("The cause was {claim}, although the agents believed most in {}.", words::list(&others)),
    }
}

fn first_led(belief: &BeliefHistory) -> f64 {
    belief.led.first().map_or(f64::INFINITY, |(from_s, _)| *from_s)
}

/// The hypothesis that is believed most, if none is proven.
fn favourite(history: &History) -> String {
    let beliefs = belief_histories(history);
    let Some(leads) = beliefs.iter().find(|belief| matches!(belief.led.last(), Some((_, None)))) else {
        return "What caused it was not established.".to_owned();
    };
    let (claim, p) = (quoted(&leads.hypothesis.claim), words::percent(leads.hypothesis.p));
    match leads.confirmed_s {
        Some(_) => format!("The diagnosis was {claim}, believed at {p}; nothing proved it."),
        None => format!("What caused it was not established; {claim} was believed most, at {p}."),
    }
}

/// The milestones, each with the summary of the action that reached it.
fn milestones(history: &History) -> String {
    let durations = reached(history);
    let verbs = [
        (Mark::Detected, "detect", durations.detect_s),
        (Mark::Diagnosed, "diagnose", durations.diagnose_s),
        (Mark::Mitigated, "mitigate", durations.mitigate_s),
    ];
    let mut milestones: Vec<(f64, String)> = verbs
        .into_iter()
        .filter_map(|(mark, verb, after_s)| {
            let after_s = after_s?;
            let said = history.reached(mark).map(|event| format!(" ({})", quoted(&event.action.summary)));
            Some((after_s, format!("{} to {verb}{}", words::duration(after_s), said.unwrap_or_default())))
        })
        .collect();
    milestones.sort_by(|one, two| one.0.total_cmp(&two.0));
    let milestones: Vec<String> = milestones.into_iter().map(|(_, text)| text).collect();
    if milestones.is_empty() { String::new() } else { format!("It took {}.", words::list(&milestones)) }
}

/// How many actions failed, and which.
fn failures(history: &History) -> String {
    let actions = history.incident.actions;
    if actions.total == 0 {
        return String::new();
    }
    if actions.failed == 0 {
        return format!("None of the {} finished actions failed.", actions.total);
    }
    let items: Vec<String> = failed_actions(history).iter().filter_map(failure).collect();
    let which = if items.is_empty() { String::new() } else { format!(": {}", items.join("; ")) };
    format!("{} of {} finished actions failed{which}.", actions.failed, actions.total)
}

/// A failed action: `“Restart the pool” (3 times), after which came “Promote the replica”`.
fn failure(action: &FailedAction) -> Option<String> {
    let failed = action.failed().count();
    let first = action.events.first().filter(|_| failed > 0)?;
    let mut text = quoted(&first.action.summary);
    if failed > 1 {
        text += &format!(" ({failed} times)");
    }
    let then: Vec<String> =
        action.consequences.iter().map(|(begun, _)| quoted(&begun.action.summary)).collect();
    if !then.is_empty() {
        text += &format!(", after which came {}", words::list(&then));
    }
    Some(text)
}

/// How the incident ended.
fn outcome(history: &History) -> String {
    let incident = &history.incident;
    let Some(resolution) = &incident.resolution else {
        let last = incident.now.as_ref().map(|now| format!("; the last action was {}", quoted(&now.summary)));
        return format!(
            "It was still open at {}, where the recording ends{}.",
            history.stamp(history.newest_s()),
            last.unwrap_or_default()
        );
    };
    let after = words::duration(history.lasted_s());
    let said = quoted(&resolution.summary);
    match incident.state {
        IncidentStatus::Cancelled => format!("It was not resolved but cancelled after {after}: {said}."),
        _ => format!("It was resolved after {after}{}: {said}.", against_target(history, ", ")),
    }
}
