//! Steps and the resolution: references and ranges.

use toml::Spanned;

use super::edges::{ById, moment};
use super::names::{Names, unique};
use super::numbers::{in_range, out_of_range};
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
        moment(steps, &step.id, given, found);
    }
}

pub(super) fn ranges(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let mut part = |value: &Spanned<f64>, what: &str| {
        if !(0.0..=1.0).contains(value.get_ref()) {
            let number = *value.get_ref();
            let mistake =
                Diagnostic::new(value.span(), format!("{what} must be from 0 to 1"), "out of range");
            let percent = number > 1.0 && number <= 100.0;
            found.push(if percent {
                mistake.help(format!("write {number} % as {}", number / 100.0))
            } else {
                mistake
            });
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
    let resolution = &file.resolution;
    let given = (resolution.at.as_ref(), resolution.after.as_ref(), resolution.delay.as_ref());
    moment(steps, &file.id, given, found);
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
