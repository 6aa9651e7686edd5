//! From occurrences to `agent_action` payloads: words, confidence, beliefs, evidence.

use super::jitter;
use super::measures::{round_significant, round_to_millis};
use super::occurrences::{Course, Occurrence};
use super::screen::Screen;
use crate::contract::{AgentAction, Evidence, Forecast, HypothesisBelief, Status};
use crate::scenario::duration::Micros;
use crate::scenario::file::{EvidenceFile, ForecastFile, ScenarioFile, Step};
use crate::scenario::keyframes::Interpolate;

/// An action whose phase and cause are not known yet.
pub(super) struct Action {
    pub(super) at: Micros,
    /// Its occurrence's id, by which effects refer to it.
    pub(super) occurrence: usize,
    pub(super) cause: Option<usize>,
    pub(super) message: AgentAction,
}

/// All actions in order.
pub(super) fn actions(file: &ScenarioFile, course: &Course, seed: u64) -> Vec<Action> {
    let screen = Screen::new(file, course.end);
    let moments = jitter::moments(file, course, &screen, seed);
    let mut told: Vec<HypothesisBelief> = Vec::new();
    let actions = course.occurrences.iter().zip(moments).map(|(occurrence, at)| {
        // Beliefs are read at the written moment, so that a step at a keyframe shows exactly that value.
        let beliefs = beliefs(file, occurrence.at);
        let changed = beliefs != told;
        if changed {
            told.clone_from(&beliefs);
        }
        let hypotheses = if changed { beliefs } else { Vec::new() };
        let message = action(file, &file.steps[occurrence.step], occurrence, at, hypotheses);
        Action { at, occurrence: occurrence.id, cause: occurrence.cause, message }
    });
    actions.collect()
}

fn action(
    file: &ScenarioFile,
    step: &Step,
    occurrence: &Occurrence,
    at: Micros,
    hypotheses: Vec<HypothesisBelief>,
) -> AgentAction {
    let completed = occurrence.status == Status::Completed;
    let finished = occurrence.status != Status::InProgress;
    let summary = match occurrence.status {
        Status::InProgress => None,
        Status::Completed => step.outcome.completed.as_ref(),
        Status::Failed => step.outcome.failed.as_ref(),
    };
    let believed = step.hypothesis.as_ref().and_then(|id| belief_in(file, id.get_ref(), occurrence.at));
    let confidence = step.confidence.as_ref().map(|confidence| *confidence.get_ref()).or(believed);
    AgentAction {
        offset_s: Some(round_to_millis(at).secs()),
        synthetic: true,
        phase: None,
        agent: step.agent.get_ref().clone(),
        action: step.action.clone(),
        status: occurrence.status,
        summary: summary.unwrap_or(&step.summary).clone(),
        step: Some(step.id.get_ref().clone()),
        attempt: step.retry.is_some().then_some(occurrence.attempt),
        // What failed proves its agent wrong: it has no confidence to show.
        confidence: confidence.filter(|_| occurrence.status != Status::Failed),
        hypotheses,
        forecast: step
            .forecast
            .as_ref()
            .filter(|_| completed)
            .map(|forecast| told_forecast(forecast.get_ref())),
        evidence: if finished { step.evidence.iter().map(told_evidence).collect() } else { Vec::new() },
        caused_by: None,
        marks: if completed { step.marks.clone() } else { Vec::new() },
        late_s: None,
    }
}

/// Every hypothesis on the table at a moment.
fn beliefs(file: &ScenarioFile, time: Micros) -> Vec<HypothesisBelief> {
    let on_the_table = file.hypotheses.iter().filter_map(|hypothesis| {
        let id = hypothesis.id.get_ref();
        let p = belief_in(file, id, time)?;
        Some(HypothesisBelief { id: id.clone(), claim: hypothesis.claim.clone(), p })
    });
    on_the_table.collect()
}

/// `None` before the hypothesis' first keyframe. Rounded down to four decimals, so that a sum of 1 stays one.
fn belief_in(file: &ScenarioFile, id: &str, time: Micros) -> Option<f64> {
    let hypothesis = file.hypotheses.iter().find(|hypothesis| hypothesis.id.get_ref() == id)?;
    let keys = hypothesis.belief.get_ref();
    let p = keys.at(time, Interpolate::Linear);
    (time >= keys.first()).then(|| (p * 10_000.0 + 1e-6).floor() / 10_000.0)
}

fn told_forecast(forecast: &ForecastFile) -> Forecast {
    Forecast {
        quantity: forecast.quantity.clone(),
        unit: forecast.unit.clone(),
        p10: forecast.p10,
        p50: forecast.p50,
        p90: forecast.p90,
    }
}

fn told_evidence(evidence: &EvidenceFile) -> Evidence {
    Evidence {
        kind: evidence.kind.clone(),
        reference: evidence.r#ref.clone(),
        text: evidence.text.clone(),
        value: evidence.value.as_ref().map(|value| round_significant(*value.get_ref())),
    }
}
