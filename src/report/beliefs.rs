//! How beliefs went: when a cause was believed most, when it led, when it was dropped or confirmed.

use super::{History, HypothesisState};
use crate::contract::Mark;

/// A hypothesis is dropped when its belief falls to this part of its highest and never rises above it again.
pub const DROPPED: f64 = 0.25;

/// The course of one hypothesis.
#[derive(Debug, Clone, PartialEq)]
pub struct Course<'a> {
    /// What it says and how it ended.
    pub hypothesis: &'a HypothesisState,
    /// When its belief was highest first.
    pub peak_s: f64,
    /// From when to when it was believed more than every other; to `None`: to the last that is known.
    pub led: Vec<(f64, Option<f64>)>,
    /// When it was dropped, see [`DROPPED`].
    pub dropped_s: Option<f64>,
    /// When the diagnosis was made, if it led then.
    pub confirmed_s: Option<f64>,
}

impl Course<'_> {
    /// When it was last overtaken, if another leads now.
    pub fn overtaken_s(&self) -> Option<f64> {
        self.led.last().and_then(|(_, until)| *until)
    }
}

/// The courses of all hypotheses, in the order of the state's.
pub fn courses(history: &History) -> Vec<Course<'_>> {
    let leads: Vec<(f64, Option<usize>)> =
        history.tellings.iter().map(|told| (told.offset_s, leader(&told.beliefs))).collect();
    let hypotheses = history.incident.hypotheses.iter().enumerate();
    hypotheses.map(|(place, hypothesis)| course(history, &leads, place, hypothesis)).collect()
}

fn course<'a>(
    history: &History,
    leads: &[(f64, Option<usize>)],
    place: usize,
    hypothesis: &'a HypothesisState,
) -> Course<'a> {
    let told: Vec<(f64, f64)> = history
        .tellings
        .iter()
        .filter_map(|telling| Some((telling.offset_s, *telling.beliefs.get(place)?)))
        .collect();
    let peak_s = told.iter().find(|(_, p)| *p >= hypothesis.peak).map_or(0.0, |(offset_s, _)| *offset_s);
    let above = told.iter().rposition(|(_, p)| *p > hypothesis.peak * DROPPED);
    let dropped = told.get(above.map_or(0, |place| place + 1));
    let led = spans(leads, place);
    let diagnosed_s = history.reached(Mark::Diagnosed).map(|act| act.offset_s);
    let leads_at = |moment: f64| {
        led.iter().any(|(from, until)| *from <= moment && until.is_none_or(|until| moment < until))
    };
    let confirmed_s = diagnosed_s.filter(|moment| leads_at(*moment));
    Course { hypothesis, peak_s, dropped_s: dropped.map(|(offset_s, _)| *offset_s), led, confirmed_s }
}

/// The hypothesis that is believed more than every other.
fn leader(beliefs: &[f64]) -> Option<usize> {
    let highest = beliefs.iter().copied().fold(0.0, f64::max);
    let mut highest_ones = beliefs.iter().enumerate().filter(|(_, p)| **p > 0.0 && **p >= highest);
    match (highest_ones.next(), highest_ones.next()) {
        (Some((place, _)), None) => Some(place),
        _ => None,
    }
}

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
