//! What happened, in a paragraph for those who read nothing else.

use super::impact::{against_target, reached};
use super::section;
use super::text::{code, money, quoted, text};
use crate::contract::Mark;
use crate::report::{Course, History, State, Trouble, courses, troubles, words};

/// One paragraph, composed of what the events say.
pub(super) fn summary(history: &History) -> String {
    let sentences =
        [extent(history), cause(history), milestones(history), failures(history), outcome(history)];
    let sentences: Vec<String> = sentences.into_iter().filter(|sentence| !sentence.is_empty()).collect();
    section("Summary", &format!("{}\n", sentences.join(" ")))
}

/// What suffered, how long, how many people, what it cost.
fn extent(history: &History) -> String {
    let incident = &history.incident;
    let services: Vec<String> = incident.services.iter().map(|name| format!("**{}**", text(name))).collect();
    let took = words::duration(incident.offset_s);
    let who = words::list(&services);
    let mut sentence = match (services.len(), incident.state) {
        (0, State::Open) => format!("The incident has lasted {took} so far."),
        (0, _) => format!("The incident lasted {took}."),
        (1, State::Open) => format!("{who} has been affected for {took} so far."),
        (1, _) => format!("{who} was affected for {took}."),
        (_, State::Open) => format!("{who} have been affected for {took} so far."),
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

/// What caused it, and what was believed before.
fn cause(history: &History) -> String {
    let resolution = history.incident.resolution.as_ref();
    let Some(root) = resolution.and_then(|resolution| resolution.root_cause.as_deref()) else {
        return favourite(history);
    };
    let mut courses = courses(history);
    let Some(place) = courses.iter().position(|course| course.hypothesis.id == root) else {
        return format!("The cause was {}.", code(root));
    };
    let proven = courses.remove(place);
    let claim = quoted(&proven.hypothesis.claim);
    courses.retain(|course| !course.led.is_empty());
    courses.sort_by(|one, two| first_led(one).total_cmp(&first_led(two)));
    let others: Vec<String> = courses.iter().map(|course| quoted(&course.hypothesis.claim)).collect();
    let were = if others.len() == 1 { "was" } else { "were" };
    match proven.led.last() {
        _ if others.is_empty() => format!("The cause was {claim}."),
        Some((from_s, None)) => format!(
            "The cause was {claim}; only from {} on was it believed most, before that {} {were}.",
            history.stamp(*from_s),
            words::list(&others)
        ),
        _ => format!("The cause was {claim}, though {} {were} believed most.", words::list(&others)),
    }
}

fn first_led(course: &Course) -> f64 {
    course.led.first().map_or(f64::INFINITY, |(from_s, _)| *from_s)
}

/// The cause that is believed most while none is proven.
fn favourite(history: &History) -> String {
    let courses = courses(history);
    let Some(leads) = courses.iter().find(|course| matches!(course.led.last(), Some((_, None)))) else {
        return "What caused it was not established.".to_owned();
    };
    let (claim, p) = (quoted(&leads.hypothesis.claim), words::percent(leads.hypothesis.p));
    match leads.confirmed_s {
        Some(_) => format!("The diagnosis was {claim}, believed at {p}; nothing proved it."),
        None => format!("What caused it was not established; {claim} was believed most, at {p}."),
    }
}

/// The milestones, each with what was said when it was reached.
fn milestones(history: &History) -> String {
    let durations = reached(history);
    let verbs = [
        (Mark::Detected, "detect", durations.detect_s),
        (Mark::Diagnosed, "diagnose", durations.diagnose_s),
        (Mark::Mitigated, "mitigate", durations.mitigate_s),
    ];
    let mut told: Vec<(f64, String)> = verbs
        .into_iter()
        .filter_map(|(mark, verb, after_s)| {
            let after_s = after_s?;
            let said = history.reached(mark).map(|act| format!(" ({})", quoted(&act.action.summary)));
            Some((after_s, format!("{} to {verb}{}", words::duration(after_s), said.unwrap_or_default())))
        })
        .collect();
    told.sort_by(|one, two| one.0.total_cmp(&two.0));
    let told: Vec<String> = told.into_iter().map(|(_, told)| told).collect();
    if told.is_empty() { String::new() } else { format!("It took {}.", words::list(&told)) }
}

/// How much went wrong on the way.
fn failures(history: &History) -> String {
    let actions = history.incident.actions;
    if actions.total == 0 {
        return String::new();
    }
    if actions.failed == 0 {
        return format!("None of the {} finished actions failed.", actions.total);
    }
    let told: Vec<String> = troubles(history).iter().filter_map(failure).collect();
    let which = if told.is_empty() { String::new() } else { format!(": {}", told.join("; ")) };
    format!("{} of {} finished actions failed{which}.", actions.failed, actions.total)
}

/// `“Restart the pool” (3 times), after which came “Promote the replica”`
fn failure(trouble: &Trouble) -> Option<String> {
    let failed = trouble.failed().count();
    let first = trouble.acts.first().filter(|_| failed > 0)?;
    let mut told = quoted(&first.action.summary);
    if failed > 1 {
        told += &format!(" ({failed} times)");
    }
    let then: Vec<String> = trouble.followed.iter().map(|(begun, _)| quoted(&begun.action.summary)).collect();
    if !then.is_empty() {
        told += &format!(", after which came {}", words::list(&then));
    }
    Some(told)
}

fn outcome(history: &History) -> String {
    let incident = &history.incident;
    let Some(resolution) = &incident.resolution else {
        let last = incident.now.as_ref().map(|now| format!("; the last action was {}", quoted(&now.summary)));
        return format!(
            "It was still open at {}, where the recording ends{}.",
            history.stamp(incident.offset_s),
            last.unwrap_or_default()
        );
    };
    let after = words::duration(resolution.durations.resolve_s);
    let said = quoted(&resolution.summary);
    match incident.state {
        State::Cancelled => format!("It was not resolved but cancelled after {after}: {said}."),
        _ => format!("It was resolved after {after}{}: {said}.", against_target(history, ", ")),
    }
}
