//! Jitter: shifts step events a little, so that they do not happen at full seconds.

use super::dice::Dice;
use super::schedule::{Schedule, StepEvent};
use super::screen::Screen;
use crate::scenario::duration::Micros;
use crate::scenario::file::ScenarioFile;

/// The moments of all step events, shifted by up to `jitter` in either direction. An event moves at most half the way
/// to its neighbour, so that no two change their order, and never into another phase.
pub(super) fn moments(file: &ScenarioFile, schedule: &Schedule, screen: &Screen, seed: u64) -> Vec<Micros> {
    let jitter = file.jitter;
    if jitter.0 == 0 {
        return schedule.events.iter().map(|event| event.at).collect();
    }
    let times: Vec<u64> = schedule.events.iter().map(|event| event.at.0).collect();
    let shift = |place: usize, &time: &u64| {
        let (start, end) = screen.borders(Micros(time));
        let before = place.checked_sub(1).map_or(0, |before| times[before]);
        let after = times.get(place + 1).copied().unwrap_or(end.0);
        let earliest = start.0.max(time - (time - before) / 2).max(time.saturating_sub(jitter.0));
        // The last millisecond of a phase stays free, so that rounding never moves an event into the next phase.
        let latest = (time + (after - time) / 2)
            .min(time.saturating_add(jitter.0))
            .min(end.0.saturating_sub(1_000))
            .max(time);
        let roll = roll(file, &schedule.events[place], seed);
        let shifted = if roll < 0.0 {
            time as f64 + roll * (time - earliest) as f64
        } else {
            time as f64 + roll * (latest - time) as f64
        };
        // Whole milliseconds, as on the wire.
        Micros(((shifted / 1_000.0).round() as u64 * 1_000).clamp(earliest, latest))
    };
    times.iter().enumerate().map(|(place, time)| shift(place, time)).collect()
}

/// The random number of an event. It depends on the event's step, attempt and status, not on its position in the file,
/// so that another step does not change it.
fn roll(file: &ScenarioFile, event: &StepEvent, seed: u64) -> f64 {
    let step = file.steps[event.step].id.get_ref();
    let status = event.status.as_str();
    Dice::new(seed, &format!("jitter:{step}:{}:{status}", event.attempt)).signed_uniform()
}
