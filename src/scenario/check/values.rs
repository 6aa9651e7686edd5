//! Identity, phases, metrics, impact and hypotheses.

use super::super::file::{Hypothesis, ScenarioFile};
use super::super::{Interpolate, Micros, Problem};
use super::{not_sensible, sensible, unique};
use crate::contract::Position;

pub(super) fn identity(file: &ScenarioFile, found: &mut Vec<Problem>) {
    let id = file.id.get_ref();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || id.len() > 64 || !id.chars().all(plain) || id.starts_with('-') {
        found.push(
            Problem::new(file.id.span(), format!("{id:?} cannot be an id"), "1 to 64 of a-z, 0-9 and '-'")
                .help("ids become part of incident names and URLs: try \"database-outage\""),
        );
    }
    if *file.metrics_every.get_ref() < Micros(100_000) {
        found.push(Problem::new(file.metrics_every.span(), "metrics_every is below 100ms", "too often"));
    }
    unique("agents", file.agents.0.iter().map(|(name, _)| name), found);
}

pub(super) fn phases(file: &ScenarioFile, found: &mut Vec<Problem>) {
    unique("phases", file.phases.iter().map(|phase| &phase.name), found);
    if let Some(first) = file.phases.first()
        && first.at.get_ref().0 != 0
    {
        found.push(
            Problem::new(first.at.span(), "the first phase does not begin at 0s", "begins here")
                .help("phases tile the incident from its start"),
        );
    }
    for pair in file.phases.windows(2) {
        if pair[1].at.get_ref() <= pair[0].at.get_ref() {
            found.push(Problem::new(
                pair[1].at.span(),
                format!(
                    "phase {:?} does not begin after {:?} ({})",
                    pair[1].name.get_ref(),
                    pair[0].name.get_ref(),
                    pair[0].at.get_ref()
                ),
                "phases are written in order",
            ));
        }
    }
    for play in file.phases.iter().filter_map(|phase| phase.play.as_ref()) {
        if play.get_ref().0 == 0 {
            found.push(Problem::new(play.span(), "a phase plays for 0s: nobody would see it", "too short"));
        }
    }
}

pub(super) fn metrics(file: &ScenarioFile, found: &mut Vec<Problem>) {
    for (name, metric) in &file.metrics.0 {
        if !(0.0..=1.0).contains(&metric.noise) {
            found.push(Problem::new(
                name.span(),
                "noise is a relative deviation from 0 to 1",
                "of this metric",
            ));
        }
        if metric.keys.iter().any(|(_, value)| !sensible(value)) {
            found.push(not_sensible(name.span(), "a metric"));
        }
        if metric.unit == "ratio" && (metric.keys.min() < 0.0 || metric.keys.max() > 1.0) {
            found.push(Problem::new(name.span(), "a ratio leaves 0..1", "this metric"));
        }
    }
    unique("metrics", file.metrics.0.iter().map(|(name, _)| name), found);
}

pub(super) fn impact(file: &ScenarioFile, found: &mut Vec<Problem>) {
    let Some(impact) = &file.impact else { return };
    if let Some(users) = &impact.users {
        if users.get_ref().min() < 0.0 {
            found.push(Problem::new(users.span(), "fewer than 0 users are affected", "this curve"));
        }
        // Beyond it a reader whose numbers are doubles would count others than we do.
        if users.get_ref().max() > Position::LIMIT as f64 {
            found.push(Problem::new(users.span(), "more than 2^53 users are affected", "this curve"));
        }
    }
    let Some(cost) = &impact.cost else { return };
    let currency = cost.currency.get_ref();
    if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
        found.push(Problem::new(
            cost.currency.span(),
            format!("{currency:?} is not a currency"),
            "like \"USD\"",
        ));
    }
    for (phase, rate) in &cost.per_minute {
        if !file.phases.iter().any(|known| known.name.get_ref() == phase.get_ref()) {
            let names = file.phases.iter().map(|phase| phase.name.get_ref().as_str());
            found.push(Problem::unknown("phase", phase, names));
        }
        if !sensible(*rate) {
            found.push(not_sensible(phase.span(), "the cost of a phase"));
        } else if *rate < 0.0 {
            found.push(
                Problem::new(phase.span(), "the cost of a phase is negative", "this one")
                    .help("the total never falls: give 0 or more a minute"),
            );
        }
    }
}

pub(super) fn hypotheses(file: &ScenarioFile, found: &mut Vec<Problem>) {
    unique("hypotheses", file.hypotheses.iter().map(|hypothesis| &hypothesis.id), found);
    if let Some(second) = file.hypotheses.iter().filter(|hypothesis| hypothesis.truth).nth(1) {
        found.push(Problem::new(second.id.span(), "two hypotheses are the truth", "the second"));
    }
    for hypothesis in &file.hypotheses {
        if hypothesis.belief.get_ref().min() < 0.0 || hypothesis.belief.get_ref().max() > 1.0 {
            found.push(Problem::new(hypothesis.belief.span(), "a belief leaves 0..1", "this one"));
        }
        // Straight lines between keyframes: the sum is highest at one of them.
        for (time, _) in hypothesis.belief.get_ref().iter() {
            let sum: f64 = file.hypotheses.iter().map(|other| belief(other, time)).sum();
            if sum > 1.0 + 1e-9 {
                found.push(
                    Problem::new(
                        hypothesis.belief.span(),
                        format!("the beliefs at {time} sum to {sum:.3}"),
                        "has a keyframe there",
                    )
                    .help("competing causes share at most 1; the rest is \"unknown\""),
                );
                return;
            }
        }
    }
}

/// How much a hypothesis is believed: 0 before its first keyframe.
fn belief(hypothesis: &Hypothesis, time: Micros) -> f64 {
    let keys = hypothesis.belief.get_ref();
    if time < keys.first() { 0.0 } else { keys.at(time, Interpolate::Linear) }
}
