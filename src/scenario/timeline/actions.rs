//! Compiling step events to `agent_action` payloads: texts, confidence, hypotheses, forecasts, evidence.

use super::jitter;
use super::measures::{round_significant, round_to_millis};
use super::schedule::{Schedule, StepEvent};
use super::screen::Screen;
use crate::contract::{AgentAction, Evidence, Forecast, HypothesisBelief, Status};
use crate::scenario::duration::Micros;
use crate::scenario::file::{EvidenceFile, ForecastFile, ScenarioFile, Step};
use crate::scenario::keyframes::Interpolate;

/// An action whose phase and cause are not known yet.
pub(super) struct Action {
    pub(super) at: Micros,
    /// The id of its step event. Effects refer to it by this id.
    pub(super) id: usize,
    /// The id of the step event that caused it.
    pub(super) cause: Option<usize>,
    pub(super) message: AgentAction,
}

/// All actions in order.
pub(super) fn actions(file: &ScenarioFile, schedule: &Schedule, seed: u64) -> Vec<Action> {
    let screen = Screen::new(file, schedule.end);
    let moments = jitter::moments(file, schedule, &screen, seed);
    let mut listed: Vec<HypothesisBelief> = Vec::new();
    let actions = schedule.events.iter().zip(moments).map(|(event, at)| {
        // Beliefs are taken at the time in the file, before jitter, so that a step at a keyframe has exactly its value.
        let beliefs = beliefs(file, event.at);
        let changed = beliefs != listed;
        if changed {
            listed.clone_from(&beliefs);
        }
        let hypotheses = if changed { beliefs } else { Vec::new() };
        let message = action(file, &file.steps[event.step], event, at, hypotheses);
        Action { at, id: event.id, cause: event.cause, message }
    });
    actions.collect()
}

fn action(
    file: &ScenarioFile,
    step: &Step,
    event: &StepEvent,
    at: Micros,
    hypotheses: Vec<HypothesisBelief>,
) -> AgentAction {
    let completed = event.status == Status::Completed;
    let finished = event.status != Status::InProgress;
    let summary = match event.status {
        Status::InProgress => None,
        Status::Completed => step.outcome.completed.as_ref(),
        Status::Failed => step.outcome.failed.as_ref(),
    };
    let believed = step.hypothesis.as_ref().and_then(|id| belief_in(file, id.get_ref(), event.at));
    let confidence = step.confidence.as_ref().map(|confidence| *confidence.get_ref()).or(believed);
    AgentAction {
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
        marks: if completed { step.marks.clone() } else { Vec::new() },
        late_s: None,
    }
}

/// All hypotheses that have appeared by this moment, with their probabilities.
fn beliefs(file: &ScenarioFile, time: Micros) -> Vec<HypothesisBelief> {
    let known = file.hypotheses.iter().filter_map(|hypothesis| {
        let id = hypothesis.id.get_ref();
        let p = belief_in(file, id, time)?;
        Some(HypothesisBelief { id: id.clone(), claim: hypothesis.claim.clone(), p })
    });
    known.collect()
}

/// The probability of a hypothesis; `None` before its first keyframe. Rounded down to four decimals, so that the sum of
/// all stays at most 1.
fn belief_in(file: &ScenarioFile, id: &str, time: Micros) -> Option<f64> {
    let hypothesis = file.hypotheses.iter().find(|hypothesis| hypothesis.id.get_ref() == id)?;
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
        reference: evidence.r#ref.clone(),
        text: evidence.text.clone(),
        value: evidence.value.as_ref().map(|value| round_significant(*value.get_ref())),
    }
}
