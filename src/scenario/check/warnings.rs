//! What can be played, but was probably not meant so.

use std::collections::HashSet;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::scenario::diagnostic::{Diagnostic, MOST_DIAGNOSTICS};
use crate::scenario::duration::Micros;
use crate::scenario::file::ScenarioFile;
use crate::scenario::suggest::{did_you_mean, listed, shortened};
use crate::scenario::symptoms;

/// A target is suspicious if the incident takes this many times as long, or this part of it.
const FAR: f64 = 4.0;

/// Words by which a decoy gives itself away.
const TELLING: [&str; 6] =
    ["decoy", "red herring", "unrelated", "false lead", "distraction", "not the cause"];

/// The warnings on a sound file whose incident takes `length`.
pub(in crate::scenario) fn warnings(file: &ScenarioFile, text: &str, length: Micros) -> Vec<Diagnostic> {
    let Ok(table) = DeTable::parse(text) else { return Vec::new() };
    let root = table.get_ref();
    let mut found = Vec::new();
    target(file, root, length, &mut found);
    evidence(file, root, &mut found);
    silent(file, length, &mut found);
    beliefs(file, &mut found);
    cost(file, &mut found);
    decoys(file, &mut found);
    found
}

/// A belief that never moves: nothing speaks for the hypothesis or against it.
fn beliefs(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    for hypothesis in &file.hypotheses {
        let belief = hypothesis.belief.get_ref();
        if belief.iter().count() > 1 && belief.min().total_cmp(&belief.max()).is_eq() {
            let message = format!("the belief in {:?} never moves", shortened(hypothesis.id.get_ref()));
            let warning = Diagnostic::new(hypothesis.belief.span(), message, "always the same").warning();
            found.push(
                warning.help("raise or lower it when a step finds something out, or keep one keyframe"),
            );
        }
    }
}

/// A cost although nobody is affected.
fn cost(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let Some(impact) = &file.impact else { return };
    let Some(cost) = &impact.cost else { return };
    let costs = cost.per_minute.values().any(|rate| *rate > 0.0);
    let any_users = impact.user_curves().any(|users| users.max() > 0.0);
    if costs && !any_users {
        let message = "the incident costs money, but no user is affected";
        let warning = Diagnostic::new(cost.currency.span(), message, "this cost").warning();
        found.push(warning.help("give [impact] users = { 0s = 0, 20s = 48000 }, or leave the cost out"));
    }
}

/// A decoy that gives itself away.
fn decoys(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    for alert in file.alerts.iter().filter(|alert| alert.decoy) {
        let labels = alert.labels.iter().flat_map(|(name, value)| [name, value]);
        let texts =
            [&alert.name, &alert.service, &alert.severity].into_iter().chain(&alert.summary).chain(labels);
        for text in texts {
            let lower = text.get_ref().to_lowercase();
            let Some(word) = TELLING.iter().find(|word| lower.contains(*word)) else { continue };
            let message = format!("the decoy says that it is one: {word:?}");
            let warning =
                Diagnostic::new(text.span(), message, "seen by those who look for the cause").warning();
            found.push(warning.help("say what monitoring would say"));
            break;
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

fn target(file: &ScenarioFile, root: &DeTable, length: Micros, found: &mut Vec<Diagnostic>) {
    let times = length.secs() / file.target.secs();
    if (1.0 / FAR..=FAR).contains(&times) {
        return;
    }
    let place = root.get("target").map_or(0..0, toml::Spanned::span);
    let message = format!("the target is {}, but the incident takes {length}", file.target);
    let help = if times > 1.0 {
        "the countdown would be over for most of the incident: is a unit wrong?"
    } else {
        "the countdown would hardly move: is a unit wrong?"
    };
    found.push(Diagnostic::new(place, message, "far from the length").help(help).warning());
}

/// Evidence of the kind `metric` names a metric of the file.
fn evidence(file: &ScenarioFile, root: &DeTable, found: &mut Vec<Diagnostic>) {
    let metrics = || file.metrics.0.iter().map(|(name, _)| name.get_ref().as_str());
    let known: HashSet<&str> = metrics().collect();
    for (step, number) in file.steps.iter().zip(0..) {
        let named = step.evidence.iter().zip(0..).filter(|(evidence, _)| evidence.kind == "metric");
        for (evidence, place) in named {
            let name = evidence.r#ref.as_str();
            if known.contains(name) {
                continue;
            }
            if found.len() >= MOST_DIAGNOSTICS {
                return;
            }
            let place = reference(root, number, place).unwrap_or_else(|| step.id.span());
            let help = match (did_you_mean(name, metrics()), metrics().count()) {
                (Some(near), _) => format!("did you mean {near:?}?"),
                (None, 0) => "the file has no [metrics]".to_owned(),
                (None, _) => format!("the file defines {}", listed(&metrics().collect::<Vec<_>>())),
            };
            let message = format!("no metric is called {:?}", shortened(name));
            found.push(Diagnostic::new(place, message, "named as evidence").help(help).warning());
        }
    }
}

/// The place of the `ref` of one piece of evidence.
fn reference(root: &DeTable, step: usize, evidence: usize) -> Option<Range<usize>> {
    let step = root.get("steps")?.get_ref().as_array()?.get(step)?.get_ref();
    let evidence = step.get("evidence")?.get_ref().as_array()?.get(evidence)?.get_ref();
    let DeValue::Table(evidence) = evidence else { return None };
    Some(evidence.get("ref")?.span())
}
