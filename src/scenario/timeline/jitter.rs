//! Shifting steps a little, so that nothing happens on the full second.

use super::dice::Dice;
use super::occurrences::Plan;
use super::screen::Screen;
use crate::scenario::Micros;

/// The moments of all occurrences, shifted by up to `jitter` either way. Half the way to a neighbour is the
/// limit, so no two change places; a phase's border is one too.
pub(super) fn moments(plan: &Plan, screen: &Screen, jitter: Micros, seed: u64) -> Vec<Micros> {
    let times: Vec<u64> = plan.occurrences.iter().map(|occurrence| occurrence.at.0).collect();
    let mut dice = Dice::new(seed, "jitter");
    let shift = |place: usize, &time: &u64| {
        let (start, end) = screen.borders(Micros(time));
        let before = place.checked_sub(1).map_or(0, |before| times[before]);
        let after = times.get(place + 1).copied().unwrap_or(end.0);
        let earliest = start.0.max(time - (time - before) / 2).max(time.saturating_sub(jitter.0));
        // The last millisecond stays free: rounding must not carry a step over the border.
        let latest =
            (time + (after - time) / 2).min(time + jitter.0).min(end.0.saturating_sub(1_000)).max(time);
        let roll = dice.either_way();
        let shifted = if roll < 0.0 {
            time as f64 + roll * (time - earliest) as f64
        } else {
            time as f64 + roll * (latest - time) as f64
        };
        // Whole milliseconds: what the wire shows is what is played.
        Micros(((shifted / 1_000.0).round() as u64 * 1_000).clamp(earliest, latest))
    };
    let mut shift = shift;
    times.iter().enumerate().map(|(place, time)| shift(place, time)).collect()
}
