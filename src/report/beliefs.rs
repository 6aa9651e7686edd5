//! How the belief in each hypothesis changed: when it was highest, when it led, when it was dropped or confirmed.

use super::history::History;
use super::state::HypothesisState;
use super::work::step;
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

/// What the updates say of one hypothesis, each as the place of an update.
#[derive(Default)]
struct Course {
    /// The first one after which it was known.
    first: Option<usize>,
    /// The first one with its highest probability.
    peak: Option<usize>,
    /// The last one with more than what a dropped one has.
    above: Option<usize>,
    led: Vec<(f64, Option<f64>)>,
}

/// The belief histories of all hypotheses, in the order of the incident's state. Each update is looked at once.
pub fn belief_histories(history: &History) -> Vec<BeliefHistory<'_>> {
    let (hypotheses, updates) = (&history.incident.hypotheses, &history.belief_updates);
    let mut courses: Vec<Course> = hypotheses.iter().map(|_| Course::default()).collect();
    let mut known = 0;
    let mut leading: Option<usize> = None;
    for (number, update) in updates.iter().enumerate() {
        for course in courses.iter_mut().take(update.known).skip(known) {
            step();
            course.first = Some(number);
        }
        known = known.max(update.known);
        for (place, p) in &update.beliefs {
            step();
            let (Some(course), Some(hypothesis)) = (courses.get_mut(*place), hypotheses.get(*place)) else {
                continue;
            };
            if *p >= hypothesis.peak {
                course.peak.get_or_insert(number);
            }
            if *p > hypothesis.peak * DROPPED {
                course.above = Some(number);
            }
        }
        let leads = leader(&update.beliefs);
        if leads != leading {
            if let Some((_, until)) = leading.and_then(|place| courses.get_mut(place)?.led.last_mut()) {
                *until = Some(update.offset_s);
            }
            if let Some(course) = leads.and_then(|place| courses.get_mut(place)) {
                course.led.push((update.offset_s, None));
            }
            leading = leads;
        }
    }
    let diagnosed_s =
        history.reached(Mark::Diagnosed).map(|event| event.offset_s).or_else(|| told_s(history));
    let second = |number: usize| updates.get(number).map(|update| update.offset_s);
    let histories = hypotheses.iter().zip(courses).map(|(hypothesis, course)| {
        let Course { first, peak, above, led } = course;
        let leads_at = |moment: f64| {
            led.iter().any(|(from, until)| *from <= moment && until.is_none_or(|until| moment < until))
        };
        BeliefHistory {
            hypothesis,
            // One that was never more probable than 0 was so when it came up.
            peak_s: peak.or(first).and_then(second).unwrap_or_default(),
            dropped_s: above.map(|number| number + 1).or(first).and_then(second),
            confirmed_s: diagnosed_s.filter(|moment| leads_at(*moment)),
            led,
        }
    });
    histories.collect()
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
