//! How the belief in each hypothesis changed: when it was highest, when it led, when it was dropped or confirmed.

use super::history::History;
use super::state::HypothesisState;
use crate::contract::Mark;

/// A hypothesis is dropped when its probability falls to this fraction of its highest one and never exceeds it again.
pub const DROPPED: f64 = 0.25;

/// How the belief in one hypothesis changed. All times are seconds of the incident.
#[derive(Debug, Clone, PartialEq)]
pub struct BeliefHistory<'a> {
    /// The hypothesis, with its last and its highest probability.
    pub hypothesis: &'a HypothesisState,
    /// When its probability was highest for the first time.
    pub peak_s: f64,
    /// The periods in which it was more probable than every other hypothesis, as (from, to). `None` is the end of the
    /// known events.
    pub led: Vec<(f64, Option<f64>)>,
    /// When it was dropped, see [`DROPPED`]; `None` if it never was.
    pub dropped_s: Option<f64>,
    /// When the diagnosis was made, if it was the most probable hypothesis at that moment.
    pub confirmed_s: Option<f64>,
}

impl BeliefHistory<'_> {
    /// When another hypothesis last became more probable, if it stayed so.
    pub fn overtaken_s(&self) -> Option<f64> {
        self.led.last().and_then(|(_, until)| *until)
    }
}

/// The belief histories of all hypotheses, in the order of the incident's state.
pub fn belief_histories(history: &History) -> Vec<BeliefHistory<'_>> {
    let leads: Vec<(f64, Option<usize>)> =
        history.belief_updates.iter().map(|update| (update.offset_s, leader(&update.beliefs))).collect();
    let hypotheses = history.incident.hypotheses.iter().enumerate();
    hypotheses.map(|(place, hypothesis)| belief_history(history, &leads, place, hypothesis)).collect()
}

fn belief_history<'a>(
    history: &History,
    leads: &[(f64, Option<usize>)],
    place: usize,
    hypothesis: &'a HypothesisState,
) -> BeliefHistory<'a> {
    let updates: Vec<(f64, f64)> = history
        .belief_updates
        .iter()
        .filter_map(|update| Some((update.offset_s, update.belief(place)?)))
        .collect();
    let peak_s = updates.iter().find(|(_, p)| *p >= hypothesis.peak).map_or(0.0, |(offset_s, _)| *offset_s);
    let above = updates.iter().rposition(|(_, p)| *p > hypothesis.peak * DROPPED);
    let dropped = updates.get(above.map_or(0, |place| place + 1));
    let led = spans(leads, place);
    let diagnosed_s = history.reached(Mark::Diagnosed).map(|event| event.offset_s).or_else(|| told_s(history));
    let leads_at = |moment: f64| {
        led.iter().any(|(from, until)| *from <= moment && until.is_none_or(|until| moment < until))
    };
    let confirmed_s = diagnosed_s.filter(|moment| leads_at(*moment));
    BeliefHistory { hypothesis, peak_s, dropped_s: dropped.map(|(offset_s, _)| *offset_s), led, confirmed_s }
}

/// When the diagnosis was made according to the resolution, which alone may tell it. If events are missing, what was believed then
/// is not known.
fn told_s(history: &History) -> Option<f64> {
    history.incident.resolution.as_ref().filter(|_| history.missing.is_empty())?.durations.diagnose_s
}

/// The hypothesis that is more probable than every other one.
fn leader(beliefs: &[(usize, f64)]) -> Option<usize> {
    let highest = beliefs.iter().map(|(_, p)| *p).fold(0.0, f64::max);
    let mut highest_ones = beliefs.iter().filter(|(_, p)| *p > 0.0 && *p >= highest);
    match (highest_ones.next(), highest_ones.next()) {
        (Some((place, _)), None) => Some(*place),
        _ => None,
    }
}

/// The periods in which a hypothesis leads.
fn spans(leads: &[(f64, Option<usize>)], place: usize) -> Vec<(f64, Option<f64>)> {
    let mut spans: Vec<(f64, Option<f64>)> = Vec::new();
    let mut leading = false;
    for (offset_s, leader) in leads {
        match (leading, *leader == Some(place)) {
            (false, true) => spans.push((*offset_s, None)),
            (true, false) => {
                if let Some((_, until)) = spans.last_mut() {
                    *until = Some(*offset_s);
                }
            }
            _ => {}
        }
        leading = *leader == Some(place);
    }
    spans
}
