//! Steps, the edges between them, the resolution and the expectations.

use std::collections::{HashMap, HashSet};

use toml::Spanned;

use super::super::file::{After, On, ScenarioFile, Step};
use super::super::{Expect, Micros, Problem};
use super::{not_sensible, sensible, unique};

/// Steps by id. A file may have thousands: none is searched for in the list of all.
pub(super) struct ById<'a>(HashMap<&'a str, &'a Step>);

impl<'a> ById<'a> {
    pub(super) fn new(file: &'a ScenarioFile) -> Self {
        Self(file.steps.iter().map(|step| (step.id.get_ref().as_str(), step)).collect())
    }

    fn get(&self, id: &str) -> Option<&'a Step> {
        self.0.get(id).copied()
    }
}

fn step_ids(file: &ScenarioFile) -> impl Iterator<Item = &str> + Clone {
    file.steps.iter().map(|step| step.id.get_ref().as_str())
}

pub(super) fn references(file: &ScenarioFile, steps: &ById, found: &mut Vec<Problem>) {
    unique("steps", file.steps.iter().map(|step| &step.id), found);
    for step in &file.steps {
        if !file.agents.0.iter().any(|(name, _)| name.get_ref() == step.agent.get_ref()) {
            let names = file.agents.0.iter().map(|(name, _)| name.get_ref().as_str());
            found.push(Problem::unknown("agent", &step.agent, names));
        }
        if let Some(hypothesis) = &step.hypothesis {
            known_hypothesis(file, hypothesis, found);
            if let Some(confidence) = &step.confidence {
                found.push(
                    Problem::new(
                        confidence.span(),
                        "both confidence and hypothesis",
                        "this would be ignored",
                    )
                    .help("the belief in the hypothesis is the confidence: keep one of them"),
                );
            }
        }
        let moment = (step.at.as_ref(), step.after.as_ref(), step.delay.as_ref());
        when((file, steps), &step.id, moment, found);
    }
}

fn known_hypothesis(file: &ScenarioFile, name: &Spanned<String>, found: &mut Vec<Problem>) {
    if !file.hypotheses.iter().any(|known| known.id.get_ref() == name.get_ref()) {
        let names = file.hypotheses.iter().map(|known| known.id.get_ref().as_str());
        found.push(Problem::unknown("hypothesis", name, names));
    }
}

/// `at`, `after` and `delay` as they are given.
type Moment<'a> = (Option<&'a Spanned<Micros>>, Option<&'a After>, Option<&'a Spanned<Micros>>);

/// A moment is given in exactly one way, and a step that it hangs on exists and can have that outcome.
fn when(
    (file, steps): (&ScenarioFile, &ById),
    owner: &Spanned<String>,
    (at, after, delay): Moment,
    found: &mut Vec<Problem>,
) {
    match (at, after) {
        (Some(_), Some(after)) => {
            found.push(Problem::new(after.step.span(), "both `at` and `after`", "keep one of them"));
        }
        (None, None) => found.push(
            Problem::new(owner.span(), "neither `at` nor `after`: it has no moment", "of this one")
                .help("give at = \"40s\" or after = \"STEP\""),
        ),
        _ => {}
    }
    if let (Some(delay), None) = (delay, after) {
        found.push(
            Problem::new(delay.span(), "`delay` without `after`", "delays nothing")
                .help("a delay counts from another step: add after = \"STEP\""),
        );
    }
    let Some(after) = after else { return };
    let Some(parent) = steps.get(after.step.get_ref()) else {
        found.push(Problem::unknown("step", &after.step, step_ids(file)));
        return;
    };
    let fails = parent.fails.as_ref().map_or(0.0, |fails| *fails.get_ref());
    let impossible = match after.on {
        On::Failed if fails <= 0.0 => Some("never fails"),
        On::Completed if fails >= 1.0 => Some("never completes"),
        _ => None,
    };
    if let Some(impossible) = impossible {
        found.push(Problem::new(
            after.step.span(),
            format!("step {:?} {impossible}", parent.id.get_ref()),
            "so this can't happen",
        ));
    }
}

pub(super) fn ranges(file: &ScenarioFile, found: &mut Vec<Problem>) {
    let mut part = |value: &Spanned<f64>, what: &str| {
        if !(0.0..=1.0).contains(value.get_ref()) {
            found.push(Problem::new(value.span(), format!("{what} is from 0 to 1"), "out of range"));
        }
    };
    for step in &file.steps {
        if let Some(fails) = &step.fails {
            part(fails, "the probability of a failure");
        }
        if let Some(confidence) = &step.confidence {
            part(confidence, "a confidence");
        }
    }
    for step in &file.steps {
        if let Some(forecast) = &step.forecast {
            let values = forecast.get_ref();
            let (low, high) = (values.p10.unwrap_or(values.p50), values.p90.unwrap_or(values.p50));
            if ![low, values.p50, high].into_iter().all(sensible) {
                found.push(not_sensible(forecast.span(), "a forecast"));
            } else if !(low <= values.p50 && values.p50 <= high) {
                found.push(Problem::new(forecast.span(), "p10, p50 and p90 do not rise", "this forecast"));
            }
        }
        for value in step.evidence.iter().filter_map(|evidence| evidence.value.as_ref()) {
            if !sensible(*value.get_ref()) {
                found.push(not_sensible(value.span(), "evidence"));
            }
        }
        retry(step, found);
    }
}

fn retry(step: &Step, found: &mut Vec<Problem>) {
    let Some(retry) = &step.retry else { return };
    if step.fails.as_ref().is_none_or(|fails| *fails.get_ref() <= 0.0) {
        found.push(Problem::new(retry.span(), "`retry` on a step that never fails", "never used"));
    }
    if retry.get_ref().times > 100 {
        found.push(Problem::new(retry.span(), "more than 100 retries", "too many"));
    }
}

/// Steps may not wait for themselves. Reports each ring once, at the step where it is closed.
pub(super) fn cycles(file: &ScenarioFile, steps: &ById, found: &mut Vec<Problem>) {
    let mut seen = HashSet::new();
    for start in step_ids(file) {
        // The place of each step on the way: what was seen but is not on it, an earlier way has followed.
        let (mut path, mut places) = (Vec::new(), HashMap::new());
        let mut here = start;
        while seen.insert(here) {
            places.insert(here, path.len());
            path.push(here);
            let Some(after) = steps.get(here).and_then(|step| step.after.as_ref()) else { break };
            here = after.step.get_ref();
            if let Some(ring) = places.get(here) {
                found.push(
                    Problem::new(after.step.span(), "steps wait for each other", "closes the ring")
                        .help(format!("{}: give one of them `at`", ring_of(&path[*ring..]))),
                );
            }
        }
    }
}

/// The way around; the middle of a long one is left out.
fn ring_of(steps: &[&str]) -> String {
    let mut names = steps.to_vec();
    names.extend(steps.first());
    if names.len() > 12 {
        names.splice(6..names.len() - 5, ["…"]);
    }
    names.join(" -> ")
}

pub(super) fn resolution(file: &ScenarioFile, steps: &ById, found: &mut Vec<Problem>) {
    let resolution = &file.resolution;
    let moment = (resolution.at.as_ref(), resolution.after.as_ref(), resolution.delay.as_ref());
    when((file, steps), &file.id, moment, found);
    if let (Some(at), Some(last)) = (&resolution.at, file.phases.last())
        && at.get_ref() <= last.at.get_ref()
    {
        found.push(Problem::new(
            at.span(),
            format!("the resolution is not after the start of the last phase ({})", last.at.get_ref()),
            "too early",
        ));
    }
    let Some(cause) = &resolution.root_cause else { return };
    known_hypothesis(file, cause, found);
    let truth = file.hypotheses.iter().find(|hypothesis| hypothesis.truth);
    if let Some(truth) = truth.filter(|truth| truth.id.get_ref() != cause.get_ref()) {
        found.push(Problem::new(
            cause.span(),
            format!("the root cause is not the true hypothesis, {:?}", truth.id.get_ref()),
            "contradicts `truth = true`",
        ));
    }
}

/// What is expected has to exist, or the expectation could never hold.
pub(super) fn expectations(file: &ScenarioFile, found: &mut Vec<Problem>) {
    let Some(expect) = &file.expect else { return };
    let Expect { phases, order, root_cause, .. } = expect.get_ref();
    let mut unknown = |what: &str, name: &str, known: &[&str]| {
        if !known.contains(&name) {
            let here = Spanned::new(expect.span(), name.to_owned());
            found.push(Problem::unknown(&format!("{what} in [expect]:"), &here, known.iter().copied()));
        }
    };
    let known: Vec<&str> = file.phases.iter().map(|phase| phase.name.get_ref().as_str()).collect();
    for phase in phases.iter().flatten() {
        unknown("phase", phase, &known);
    }
    let known: Vec<&str> = step_ids(file).collect();
    for step in order.iter().flatten() {
        unknown("step", step, &known);
    }
    let known: Vec<&str> = file.hypotheses.iter().map(|known| known.id.get_ref().as_str()).collect();
    if let Some(cause) = root_cause {
        unknown("hypothesis", cause, &known);
    }
}
