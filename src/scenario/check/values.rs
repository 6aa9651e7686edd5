//! Identity, phases, metrics, impact and hypotheses.

use std::collections::HashSet;

use toml::Spanned;

use super::names::{Names, unique};
use super::numbers::{in_range, out_of_range, percent};
use crate::contract::Position;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::duration::Micros;
use crate::scenario::file::{Hypothesis, ScenarioFile};
use crate::scenario::keyframes::{Interpolate, Keyframes};

/// The most beliefs that are added up: times of keyframes times hypotheses.
const MOST_BELIEFS: usize = 5_000_000;

/// Whether a text can be a scenario's id: 1 to 64 of a-z, 0-9 and `-`, not beginning with `-`.
pub fn is_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&id.len()) && id.bytes().all(plain) && !id.starts_with('-')
}

pub(super) fn identity(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let id = file.id.get_ref();
    if !is_id(id) {
        found.push(
            Diagnostic::new(file.id.span(), format!("{id:?} cannot be an id"), "1 to 64 of a-z, 0-9 and '-'")
                .help("ids become part of incident names and URLs, as in \"database-outage\""),
        );
    }
    if *file.metrics_every.get_ref() < Micros(100_000) {
        found.push(Diagnostic::new(
            file.metrics_every.span(),
            "metrics_every must be at least 100ms",
            "too often",
        ));
    }
    unique("agents", file.agents.0.iter().map(|(name, _)| name), found);
}

/// TOML also has days, and times without a zone: they name no moment.
pub(super) fn provenance(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let Some(provenance) = &file.provenance else { return };
    let t0 = provenance.t0.get_ref();
    if t0.date.is_none() || t0.time.is_none() || t0.offset.is_none() {
        let diagnostic =
            Diagnostic::new(provenance.t0.span(), format!("t0 is {t0}: not a moment"), "no moment");
        found.push(diagnostic.help("write a time as in RFC 3339, such as 2026-11-22T10:00:00Z"));
    }
}

pub(super) fn phases(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    unique("phases", file.phases.iter().map(|phase| &phase.name), found);
    if let Some(first) = file.phases.first()
        && first.at.get_ref().0 != 0
    {
        found.push(
            Diagnostic::new(first.at.span(), "the first phase does not begin at 0s", "begins here")
                .help("phases cover the incident from its start, without gaps"),
        );
    }
    for pair in file.phases.windows(2) {
        if pair[1].at.get_ref() <= pair[0].at.get_ref() {
            found.push(Diagnostic::new(
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
            found.push(Diagnostic::new(
                play.span(),
                "a phase plays for 0s: it would never be on screen",
                "too short",
            ));
        }
    }
}

pub(super) fn metrics(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    for (name, metric) in &file.metrics.0 {
        if !(0.0..=1.0).contains(&metric.noise) {
            let mistake = Diagnostic::new(
                name.span(),
                "noise must be from 0 to 1: it is a relative deviation",
                "this metric",
            );
            found.push(percent(mistake, metric.noise));
        }
        if metric.keys.iter().any(|(_, value)| !in_range(value)) {
            found.push(out_of_range(name.span(), "a metric"));
        }
        if metric.unit == "ratio" && (metric.keys.min() < 0.0 || metric.keys.max() > 1.0) {
            let mistake = Diagnostic::new(name.span(), "a ratio must stay between 0 and 1", "this metric");
            found.push(percent(mistake, metric.keys.max()));
        }
    }
    unique("metrics", file.metrics.0.iter().map(|(name, _)| name), found);
}

pub(super) fn impact(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let Some(impact) = &file.impact else { return };
    if let (Some(users), Some(_)) = (&impact.users, &impact.users_by) {
        found.push(Diagnostic::new(users.span(), "both `users` and `users_by`", "keep one of them"));
    }
    let whole = impact.users.as_ref().map(Spanned::span);
    let place = whole.or_else(|| impact.users_by.as_ref().map(Spanned::span)).unwrap_or_default();
    if impact.user_curves().any(|users| users.min() < 0.0) {
        found.push(Diagnostic::new(place.clone(), "fewer than 0 users are affected", "this curve"));
    }
    // Above this, clients whose numbers are doubles would read other counts than the server wrote.
    if impact.user_curves().map(Keyframes::max).sum::<f64>() > Position::LIMIT as f64 {
        found.push(Diagnostic::new(place, "more than 2^53 users are affected", "this curve"));
    }
    let Some(cost) = &impact.cost else { return };
    let currency = cost.currency.get_ref();
    if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
        found.push(Diagnostic::new(
            cost.currency.span(),
            format!("{currency:?} is not a currency"),
            "like \"USD\"",
        ));
    }
    let phases = Names::of_phases(file);
    for (phase, rate) in &cost.per_minute {
        phases.refer(phase, found);
        if !in_range(*rate) {
            found.push(out_of_range(phase.span(), "the cost of a phase"));
        } else if *rate < 0.0 {
            found.push(
                Diagnostic::new(phase.span(), "the cost of a phase is negative", "this one")
                    .help("the total never falls: give 0 or more per minute"),
            );
        }
    }
}

pub(super) fn hypotheses(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    unique("hypotheses", file.hypotheses.iter().map(|hypothesis| &hypothesis.id), found);
    if let Some(second) = file.hypotheses.iter().filter(|hypothesis| hypothesis.truth).nth(1) {
        found.push(Diagnostic::new(second.id.span(), "two hypotheses have `truth = true`", "the second"));
    }
    let mut judged = HashSet::new();
    let is_wrong = |hypothesis: &Hypothesis| {
        let belief = hypothesis.belief.get_ref();
        belief.min() < 0.0 || belief.max() > 1.0
    };
    // A sum with such a belief says nothing new.
    let any_wrong = file.hypotheses.iter().any(is_wrong);
    for hypothesis in &file.hypotheses {
        if is_wrong(hypothesis) {
            found.push(Diagnostic::new(
                hypothesis.belief.span(),
                "a belief must stay between 0 and 1",
                "this one",
            ));
        }
        if any_wrong {
            continue;
        }
        // Between keyframes beliefs move in straight lines, so the sum is highest at a keyframe.
        for (time, _) in hypothesis.belief.get_ref().iter() {
            if !judged.insert(time) {
                continue;
            }
            if judged.len() * file.hypotheses.len() > MOST_BELIEFS {
                let message = format!(
                    "{} hypotheses with more than {} keyframes at different times: too many to add up",
                    file.hypotheses.len(),
                    judged.len() - 1
                );
                found.push(
                    Diagnostic::new(hypothesis.belief.span(), message, "one too many has a keyframe here")
                        .help("leave out hypotheses or keyframes, or put keyframes at the same times"),
                );
                return;
            }
            let sum: f64 = file.hypotheses.iter().map(|other| belief(other, time)).sum();
            if sum > 1.0 + 1e-9 {
                found.push(
                    Diagnostic::new(
                        hypothesis.belief.span(),
                        format!("the beliefs at {time} sum to {sum:.3}"),
                        "has a keyframe there",
                    )
                    .help("the beliefs in all hypotheses may sum to at most 1; the rest is \"unknown\""),
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
