//! What the schedules of a file show: phases in which nothing happens, and seeds with which the incident can't be played,
//! because chance takes another branch.

use std::collections::HashSet;

use super::schedule;
use super::screen::Screen;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::file::ScenarioFile;

/// How many other seeds are tried.
const TRIED: u64 = 24;

/// A longer file is not tried: each seed takes as long as the file's own.
const MOST_STEPS: usize = 1_000;

/// The numbers of the phases, from 0, in which no step begins or ends with the file's own seed.
pub(in crate::scenario) fn empty_phases(file: &ScenarioFile) -> Vec<usize> {
    let Ok(schedule) = schedule::schedule(file, file.seed) else { return Vec::new() };
    let screen = Screen::new(file, schedule.end);
    let used: HashSet<usize> = schedule.events.iter().map(|event| screen.place(event.at)).collect();
    (0..file.phases.len()).filter(|place| !used.contains(place)).collect()
}

/// A warning if there is a seed with which the incident can't be played.
pub(in crate::scenario) fn other_seeds(file: &ScenarioFile) -> Option<Diagnostic> {
    let is_drawn = file.steps.iter().any(|step| {
        let fails = step.fails.as_ref().map_or(0.0, |fails| *fails.get_ref());
        (fails > 0.0 && fails < 1.0) || step.draws.is_some()
    });
    if !is_drawn || file.steps.len() > MOST_STEPS {
        return None;
    }
    let mut failures = (0..TRIED).filter_map(|seed| schedule::schedule(file, seed).err());
    let first = failures.next()?;
    let more = failures.count();
    let mut warning = first.diagnostic().warning();
    if more > 0 {
        warning.message = format!("{}, and with {more} more of {TRIED} seeds", warning.message);
    }
    Some(warning)
}
