//! Steps and the resolution: references and ranges.

use toml::Spanned;

use super::edges::{ById, moment};
use super::names::{Names, unique};
use super::numbers::{in_range, out_of_range, percent};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::file::{ScenarioFile, Step};

pub(super) fn references(file: &ScenarioFile, steps: &ById, found: &mut Vec<Diagnostic>) {
    unique("steps", file.steps.iter().map(|step| &step.id), found);
    let agents = Names::new("agent", file.agents.0.iter().map(|(name, _)| name.get_ref().as_str()));
    let hypotheses = Names::of_hypotheses(file);
    for step in &file.steps {
        agents.refer(&step.agent, found);
        if let Some(hypothesis) = &step.hypothesis {
            hypotheses.refer(hypothesis, found);
            if let Some(confidence) = &step.confidence {
                found.push(
                    Diagnostic::new(
                        confidence.span(),
                        "both confidence and hypothesis",
                        "the confidence would be ignored",
                    )
                    .help("the belief in the hypothesis becomes the confidence: keep one of them"),
                );
            }
        }
        let given = (step.at.as_ref(), step.after.as_ref(), step.delay.as_ref());
        moment(steps, step.id.span(), given, found);
    }
}

pub(super) fn ranges(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let mut part = |value: &Spanned<f64>, what: &str| {
        if !(0.0..=1.0).contains(value.get_ref()) {
            let mistake =
                Diagnostic::new(value.span(), format!("{what} must be from 0 to 1"), "out of range");
            found.push(percent(mistake, *value.get_ref()));
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
            if ![low, values.p50, high].into_iter().all(in_range) {
                found.push(out_of_range(forecast.span(), "a forecast"));
            } else if !(low <= values.p50 && values.p50 <= high) {
                found.push(Diagnostic::new(
                    forecast.span(),
                    "p10, p50 and p90 are not in rising order",
                    "this forecast",
                ));
            }
        }
        for value in step.evidence.iter().filter_map(|evidence| evidence.value.as_ref()) {
            if !in_range(*value.get_ref()) {
                found.push(out_of_range(value.span(), "evidence"));
            }
        }
        retry(step, found);
        draws(step, found);
    }
}

fn draws(step: &Step, found: &mut Vec<Diagnostic>) {
    for (name, _) in &step.outcome.0 {
        let known: Vec<&str> = ["completed", "failed"].into_iter().chain(step.ways()).collect();
        if !known.contains(&name.get_ref().as_str()) {
            found.push(Diagnostic::unknown("outcome", name, known));
        }
    }
    let Some(draws) = &step.draws else { return };
    let ways = &draws.get_ref().0;
    unique("outcomes", ways.iter().map(|(name, _)| name), found);
    if let Some((name, _)) =
        ways.iter().find(|(name, _)| ["any", "completed", "failed"].contains(&&**name.get_ref()))
    {
        let message = format!("an outcome that is drawn can't be called {:?}", name.get_ref());
        found.push(Diagnostic::new(name.span(), message, "every step has that outcome"));
    }
    if ways.is_empty() || ways.iter().any(|(_, chance)| !(0.0..=1.0).contains(chance)) {
        let message = "the probabilities of `draws` must each be from 0 to 1";
        found.push(
            Diagnostic::new(draws.span(), message, "these").help("as in { restored = 0.7, degraded = 0.3 }"),
        );
        return;
    }
    let sum: f64 = ways.iter().map(|(_, chance)| chance).sum();
    if (sum - 1.0).abs() > 1e-9 {
        let message = format!("the probabilities of `draws` sum to {sum:.3}, not to 1");
        found.push(Diagnostic::new(draws.span(), message, "these").help("one of the outcomes is drawn"));
    }
}

/// Whether a repeated step is one that can be done again.
pub(super) fn repeats(file: &ScenarioFile, steps: &ById, found: &mut Vec<Diagnostic>) {
    for step in &file.steps {
        let Some(repeat) = &step.repeat else { continue };
        let (span, repeat) = (repeat.span(), repeat.get_ref());
        let once = [
            ("fails", step.fails.is_some()),
            ("retry", step.retry.is_some()),
            ("draws", step.draws.is_some()),
            ("marks", step.marks.is_some()),
        ];
        if let Some((key, _)) = once.iter().find(|(_, is_given)| *is_given) {
            let message = format!("`repeat` on a step with `{key}`");
            let help = "give what is repeated a step of its own, after this one";
            found.push(Diagnostic::new(span.clone(), message, "this repeats it").help(help));
        }
        if repeat.every.0 == 0 || step.takes.is_some_and(|takes| takes > repeat.every) {
            let message = format!("the step is repeated every {}, before it has ended", repeat.every);
            found.push(Diagnostic::new(span, message, "too often"));
        }
        if let Some(until) = &repeat.until {
            match steps.get(until.get_ref()) {
                Some(_) if until.get_ref() == step.id.get_ref() => {
                    found.push(Diagnostic::new(
                        until.span(),
                        "a step can't be repeated until itself",
                        "here",
                    ));
                }
                Some(_) => {}
                None => steps.names.refer(until, found),
            }
        }
    }
}

fn retry(step: &Step, found: &mut Vec<Diagnostic>) {
    let Some(retry) = &step.retry else { return };
    if step.fails.as_ref().is_none_or(|fails| *fails.get_ref() <= 0.0) {
        found.push(Diagnostic::new(retry.span(), "`retry` on a step that never fails", "this is never used"));
    }
    if retry.get_ref().times > 100 {
        found.push(Diagnostic::new(retry.span(), "more than 100 retries", "too many"));
    }
}

pub(super) fn resolution(file: &ScenarioFile, steps: &ById, found: &mut Vec<Diagnostic>) {
    let (place, resolution) = (file.resolution.span(), file.resolution.get_ref());
    let given = (resolution.at.as_ref(), resolution.after.as_ref(), resolution.delay.as_ref());
    moment(steps, place, given, found);
    if let (Some(at), Some(last)) = (&resolution.at, file.phases.last())
        && at.get_ref() <= last.at.get_ref()
    {
        found.push(Diagnostic::new(
            at.span(),
            format!("the resolution is not after the start of the last phase ({})", last.at.get_ref()),
            "too early",
        ));
    }
    let Some(cause) = &resolution.root_cause else { return };
    Names::of_hypotheses(file).refer(cause, found);
    let truth = file.hypotheses.iter().find(|hypothesis| hypothesis.truth);
    if let Some(truth) = truth.filter(|truth| truth.id.get_ref() != cause.get_ref()) {
        found.push(Diagnostic::new(
            cause.span(),
            format!("the root cause is not the true hypothesis, {:?}", truth.id.get_ref()),
            "contradicts `truth = true`",
        ));
    }
}
