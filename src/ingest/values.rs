//! Values of one event that its schema allows and that contradict each other.

use std::collections::HashSet;

use super::fault::Fault;
use super::kind::Kind;
use crate::contract::{AgentAction, IncidentStarted, Message, SEVERAL_LINES};

/// Probabilities are sums of decimal fractions.
const ROUNDING: f64 = 1e-9;

/// What is wrong with the values of a payload.
pub(super) fn faults(message: &Message) -> Vec<Fault> {
    let mut faults = match message {
        Message::IncidentStarted(started) => phases(started),
        Message::AgentAction(action) => beliefs(action),
        _ => Vec::new(),
    };
    if let Some(pointer) = message.broken_line() {
        faults.push(fault(format!("/data{pointer}"), SEVERAL_LINES));
    }
    faults
}

fn fault(pointer: impl Into<String>, detail: impl Into<String>) -> Fault {
    Fault::new(Kind::Value, pointer, detail)
}

fn phases(started: &IncidentStarted) -> Vec<Fault> {
    let (mut names, mut faults) = (HashSet::new(), Vec::new());
    for (place, phase) in started.phases.iter().enumerate() {
        let pointer = format!("/data/phases/{place}");
        if !names.insert(&phase.name) {
            faults.push(fault(&pointer, format!("two phases are called {:?}", phase.name)));
        }
        if phase.end_s.is_some_and(|end| end < phase.start_s) {
            faults.push(fault(&pointer, format!("the phase {:?} ends before it starts", phase.name)));
        }
        let Some(before) = place.checked_sub(1).map(|before| &started.phases[before]) else { continue };
        let follows = before.end_s.map_or(phase.start_s >= before.start_s, |end| {
            (phase.start_s - end).abs() < f64::EPSILON * end.abs().max(1.0)
        });
        if !follows {
            faults.push(fault(
                &pointer,
                format!("the phase {:?} must start where the one before it ends", phase.name),
            ));
        }
    }
    faults
}

fn beliefs(action: &AgentAction) -> Vec<Fault> {
    let mut faults = Vec::new();
    let sum: f64 = action.hypotheses.iter().map(|belief| belief.p).sum();
    if sum > 1.0 + ROUNDING {
        faults
            .push(fault("/data/hypotheses", format!("the probabilities sum to {sum}; at most 1 is allowed")));
    }
    let mut ids = HashSet::new();
    for (place, belief) in action.hypotheses.iter().enumerate() {
        if !ids.insert(&belief.id) {
            let detail = format!("the hypothesis {:?} is listed twice", belief.id);
            faults.push(fault(format!("/data/hypotheses/{place}/id"), detail));
        }
    }
    if let Some(forecast) = &action.forecast {
        let (low, high) = (forecast.p10.unwrap_or(forecast.p50), forecast.p90.unwrap_or(forecast.p50));
        if low > forecast.p50 || high < forecast.p50 {
            faults.push(fault("/data/forecast", "p10 must be at most p50, and p50 at most p90"));
        }
    }
    let mut marks = HashSet::new();
    if !action.marks.iter().all(|mark| marks.insert(*mark)) {
        faults.push(Fault::new(Kind::Lifecycle, "/data/marks", "a mark is listed twice"));
    }
    faults
}
