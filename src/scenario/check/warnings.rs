//! What can be played, but was probably not meant so.

use std::collections::HashSet;

use crate::contract::{Doubt, doubtful_names};
use crate::scenario::diagnostic::{Diagnostic, MOST_DIAGNOSTICS};
use crate::scenario::duration::Micros;
use crate::scenario::file::ScenarioFile;
use crate::scenario::suggest::{did_you_mean, listed, shortened};
use crate::scenario::symptoms;

/// A target is suspicious if the incident takes this many times as long, or this part of it.
const FAR: f64 = 4.0;

/// The warnings on a sound file whose incident takes `length`.
pub(in crate::scenario) fn warnings(file: &ScenarioFile, length: Micros) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    target(file, length, &mut found);
    services(file, &mut found);
    evidence(file, &mut found);
    logs(file, &mut found);
    silent(file, length, &mut found);
    beliefs(file, &mut found);
    cost(file, &mut found);
    decoys(file, &mut found);
    found
}

/// Who reads the list counts its names.
fn services(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let names = file.services.iter().map(|name| name.get_ref().as_str());
    // An empty one is a mistake.
    let again = doubtful_names(names).filter(|(_, what)| matches!(what, Doubt::Again));
    for (place, _) in again.take(MOST_DIAGNOSTICS) {
        let message = format!("the service {:?} is listed twice", shortened(file.services[place].get_ref()));
        let warning = Diagnostic::new(file.services[place].span(), message, "in `services`").warning();
        found.push(warning.help("leave it out"));
    }
}

/// A name in braces in the line of a log is that of a metric, if it is nearly one. Other braces are text.
fn logs(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let metrics = || file.metrics.0.iter().map(|(name, _)| name.get_ref().as_str());
    let known: HashSet<&str> = metrics().collect();
    for log in &file.logs {
        let names = log.line.get_ref().split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0));
        let is_plain = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        for name in names.filter(|name| name.chars().all(is_plain) && !known.contains(name)) {
            let Some(near) = did_you_mean(name, metrics()) else { continue };
            if found.len() >= MOST_DIAGNOSTICS {
                return;
            }
            let message =
                format!("no metric is called {:?}, so that the log has the braces", shortened(name));
            let warning = Diagnostic::new(log.line.span(), message, "in this line").warning();
            found.push(warning.help(format!("did you mean {near:?}?")));
        }
    }
}

/// A belief is there to move: an agent that learns nothing need not be asked.
fn beliefs(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let still = file.hypotheses.iter().filter(|known| {
        let belief = known.belief.get_ref();
        (belief.max() - belief.min()).abs() < f64::EPSILON
    });
    for hypothesis in still.take(MOST_DIAGNOSTICS) {
        let message = format!("the belief in {:?} never moves", shortened(hypothesis.id.get_ref()));
        let warning = Diagnostic::new(hypothesis.belief.span(), message, "the same all through").warning();
        found.push(warning.help("give it a keyframe for each step that makes it more or less likely"));
    }
}

fn cost(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let Some(impact) = &file.impact else { return };
    let Some(cost) = impact.cost.as_ref().filter(|cost| cost.per_minute.values().any(|rate| *rate > 0.0))
    else {
        return;
    };
    if impact.user_curves().all(|users| users.max() <= 0.0) {
        let message = "the incident costs money, but no user is affected";
        let warning = Diagnostic::new(cost.currency.span(), message, "this cost").warning();
        found.push(warning.help("give impact.users, or leave the cost out"));
    }
}

/// Words by which anybody would know a decoy.
const TELLING: [&str; 7] =
    ["decoy", "fake", "unrelated", "harmless", "ignore", "red herring", "not the cause"];

/// What participants see of a decoy must not say that it is one.
fn decoys(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    for alert in file.alerts.iter().filter(|alert| alert.decoy) {
        let texts = [&alert.name, &alert.severity].into_iter().chain(&alert.summary);
        let texts = texts.chain(alert.labels.iter().flat_map(|(name, value)| [name, value]));
        for text in texts {
            let said = text.get_ref().to_lowercase();
            if let Some(word) = TELLING.iter().find(|word| said.contains(*word)) {
                let message = format!("the decoy says that it is one: {word:?}");
                let warning = Diagnostic::new(text.span(), message, "seen by all").warning();
                found.push(warning.help("write it as monitoring that believes in it would"));
            }
        }
    }
}

/// An alert that no curve makes fire.
fn silent(file: &ScenarioFile, length: Micros, found: &mut Vec<Diagnostic>) {
    for alert in &file.alerts {
        if !symptoms::firings(file, alert, length).is_empty() {
            continue;
        }
        let (place, help) = match (&alert.when, &alert.at) {
            (Some(when), _) => {
                let help = if alert.hold.is_some() {
                    "lower the limit to what the metric reaches, or `for` to how long it stays there"
                } else {
                    "lower the limit to what the metric reaches"
                };
                (when.span(), help)
            }
            (None, Some(at)) => (at.span(), "the incident is over by then: give an earlier time"),
            (None, None) => continue,
        };
        let message = format!("the alert {:?} never fires", shortened(alert.name.get_ref()));
        found.push(Diagnostic::new(place, message, "never happens").help(help).warning());
    }
}

fn target(file: &ScenarioFile, length: Micros, found: &mut Vec<Diagnostic>) {
    let target = file.target.get_ref();
    let times = length.secs() / target.secs();
    if (1.0 / FAR..=FAR).contains(&times) {
        return;
    }
    let message = format!("the target is {target}, but the incident takes {length}");
    let help = if times > 1.0 {
        "the countdown would be over for most of the incident: is a unit wrong?"
    } else {
        "the countdown would hardly move: is a unit wrong?"
    };
    found.push(Diagnostic::new(file.target.span(), message, "far from the length").help(help).warning());
}

/// Evidence of the kind `metric` names a metric of the file.
fn evidence(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let metrics = || file.metrics.0.iter().map(|(name, _)| name.get_ref().as_str());
    let known: HashSet<&str> = metrics().collect();
    for step in &file.steps {
        for evidence in step.evidence.iter().filter(|evidence| evidence.kind == "metric") {
            let name = evidence.r#ref.get_ref().as_str();
            if known.contains(name) {
                continue;
            }
            if found.len() >= MOST_DIAGNOSTICS {
                return;
            }
            let help = match (did_you_mean(name, metrics()), metrics().count()) {
                (Some(near), _) => format!("did you mean {near:?}?"),
                (None, 0) => "the file has no [metrics]".to_owned(),
                (None, _) => format!("the file defines {}", listed(&metrics().collect::<Vec<_>>())),
            };
            let message = format!("no metric is called {:?}", shortened(name));
            found.push(
                Diagnostic::new(evidence.r#ref.span(), message, "named as evidence").help(help).warning(),
            );
        }
    }
}
