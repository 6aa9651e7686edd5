//! Seeds with which the incident can't be played, because chance takes another branch.

use super::schedule;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::file::ScenarioFile;

/// How many other seeds are tried.
const TRIED: u64 = 24;

/// A longer file is not tried: each seed takes as long as the file's own.
const MOST_STEPS: usize = 1_000;

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
