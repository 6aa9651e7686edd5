//! Shifting steps a little, so that nothing happens on the full second.

use super::dice::Dice;
use super::occurrences::{Course, Occurrence};
use super::screen::Screen;
use crate::contract::Status;
use crate::scenario::duration::Micros;
use crate::scenario::file::ScenarioFile;

/// The moments of all occurrences, shifted by up to `jitter` either way. Half the way to a neighbour is the
/// limit, so no two change places; a phase's border is one too.
pub(super) fn moments(file: &ScenarioFile, course: &Course, screen: &Screen, seed: u64) -> Vec<Micros> {
    let jitter = file.jitter;
    let times: Vec<u64> = course.occurrences.iter().map(|occurrence| occurrence.at.0).collect();
    let shift = |place: usize, &time: &u64| {
        let (start, end) = screen.borders(Micros(time));
        let before = place.checked_sub(1).map_or(0, |before| times[before]);
        let after = times.get(place + 1).copied().unwrap_or(end.0);
        let earliest = start.0.max(time - (time - before) / 2).max(time.saturating_sub(jitter.0));
        // The last millisecond stays free: rounding must not carry a step over the border.
        let latest = (time + (after - time) / 2)
            .min(time.saturating_add(jitter.0))
            .min(end.0.saturating_sub(1_000))
            .max(time);
        let roll = roll(file, &course.occurrences[place], seed);
        let shifted = if roll < 0.0 {
            time as f64 + roll * (time - earliest) as f64
        } else {
            time as f64 + roll * (latest - time) as f64
        };
        // Whole milliseconds: what the wire shows is what is played.
        Micros(((shifted / 1_000.0).round() as u64 * 1_000).clamp(earliest, latest))
    };
    times.iter().enumerate().map(|(place, time)| shift(place, time)).collect()
}

/// Named by what happens, not by its place: another step leaves this one's draw alone.
fn roll(file: &ScenarioFile, occurrence: &Occurrence, seed: u64) -> f64 {
    let step = file.steps[occurrence.step].id.get_ref();
    let status = match occurrence.status {
        Status::InProgress => "in_progress",
        Status::Completed => "completed",
        Status::Failed => "failed",
    };
    Dice::new(seed, &format!("jitter:{step}:{}:{status}", occurrence.attempt)).either_way()
}
