//! Compiling step events to `agent_action` payloads: texts, confidence, hypotheses, forecasts, evidence.

use std::collections::HashMap;

use super::jitter;
use super::measures::{round_significant, round_to_millis};
use super::schedule::{Schedule, StepEvent};
use super::screen::Screen;
use crate::contract::{AgentAction, Evidence, Forecast, HypothesisBelief, Status};
use crate::scenario::duration::Micros;
use crate::scenario::file::{EvidenceFile, ForecastFile, Hypothesis, ScenarioFile, Step};
use crate::scenario::keyframes::Interpolate;

/// An action whose phase and cause are not known yet.
pub(super) struct Action {
    pub(super) at: Micros,
    /// Number of its step in the file, from 0.
    pub(super) step: usize,
    /// The id of its step event. Effects refer to it by this id.
    pub(super) id: usize,
    /// The id of the step event that caused it.
    pub(super) cause: Option<usize>,
    pub(super) message: AgentAction,
}

/// All actions in order, each made when it is asked for.
pub(super) fn actions<'a>(
    file: &'a ScenarioFile,
    schedule: &'a Schedule,
    screen: &Screen,
    seed: u64,
) -> impl Iterator<Item = Action> + use<'a> {
    let moments = jitter::moments(file, schedule, screen, seed);
    let hypotheses = file.hypotheses.iter().enumerate();
    let place_of: HashMap<&str, usize> =
        hypotheses.map(|(place, hypothesis)| (hypothesis.id.get_ref().as_str(), place)).collect();
    let mut listed = vec![None; file.hypotheses.len()];
    schedule.events.iter().zip(moments).map(move |(event, at)| {
        let step = &file.steps[event.step];
        // Beliefs are taken at the time in the file, before jitter, so that a step at a keyframe has exactly its value.
        let beliefs: Vec<Option<f64>> =
            file.hypotheses.iter().map(|hypothesis| belief(hypothesis, event.at)).collect();
        let place = step.hypothesis.as_ref().and_then(|id| place_of.get(id.get_ref().as_str()));
        let believed = place.and_then(|place| beliefs[*place]);
        let hypotheses = if beliefs == listed { Vec::new() } else { list(file, &beliefs) };
        listed = beliefs;
        let message = action(step, event, at, believed, hypotheses);
        Action { at, step: event.step, id: event.id, cause: event.cause, message }
    })
}

fn action(
    step: &Step,
    event: &StepEvent,
    at: Micros,
    believed: Option<f64>,
    hypotheses: Vec<HypothesisBelief>,
) -> AgentAction {
    let completed = event.status == Status::Completed;
    let finished = event.status != Status::InProgress;
    let summary = match event.status {
        Status::InProgress => None,
        Status::Completed => {
            let way = event.way.and_then(|way| step.ways().nth(way));
            way.and_then(|way| step.outcome(way)).or_else(|| step.outcome("completed"))
        }
        Status::Failed => step.outcome("failed"),
    };
    let confidence = step.confidence.as_ref().map(|confidence| *confidence.get_ref()).or(believed);
    AgentAction {
        origin: None,
        observed_at: None,
        offset_s: Some(round_to_millis(at).secs()),
        synthetic: true,
        phase: None,
        agent: step.agent.get_ref().clone(),
        action: step.action.clone(),
        status: event.status,
        summary: summary.unwrap_or(&step.summary).clone(),
        step: Some(step.id.get_ref().clone()),
        attempt: step.retry.is_some().then_some(event.attempt),
        // A failed action has no confidence: its failure proves the agent wrong.
        confidence: confidence.filter(|_| event.status != Status::Failed),
        hypotheses,
        forecast: step
            .forecast
            .as_ref()
            .filter(|_| completed)
            .map(|forecast| forecast_payload(forecast.get_ref())),
        evidence: if finished { step.evidence.iter().map(evidence_payload).collect() } else { Vec::new() },
        caused_by: None,
        marks: if completed { step.marks().to_vec() } else { Vec::new() },
        late_s: None,
    }
}

/// The hypotheses that have appeared, with their probabilities.
fn list(file: &ScenarioFile, beliefs: &[Option<f64>]) -> Vec<HypothesisBelief> {
    let known = file.hypotheses.iter().zip(beliefs).filter_map(|(hypothesis, p)| {
        let (id, claim) = (hypothesis.id.get_ref().clone(), hypothesis.claim.clone());
        Some(HypothesisBelief { id, claim, p: (*p)? })
    });
    known.collect()
}

/// The probability of a hypothesis; `None` before its first keyframe. Rounded down to four decimals, so that the sum of
/// all stays at most 1.
fn belief(hypothesis: &Hypothesis, time: Micros) -> Option<f64> {
    let keys = hypothesis.belief.get_ref();
    let p = keys.at(time, Interpolate::Linear);
    (time >= keys.first()).then(|| (p * 10_000.0 + 1e-6).floor() / 10_000.0)
}

fn forecast_payload(forecast: &ForecastFile) -> Forecast {
    Forecast {
        quantity: forecast.quantity.clone(),
        unit: forecast.unit.clone(),
        p10: forecast.p10,
        p50: forecast.p50,
        p90: forecast.p90,
    }
}

fn evidence_payload(evidence: &EvidenceFile) -> Evidence {
    Evidence {
        kind: evidence.kind.clone(),
        reference: evidence.r#ref.get_ref().clone(),
        text: evidence.text.clone(),
        value: evidence.value.as_ref().map(|value| round_significant(*value.get_ref())),
    }
}
