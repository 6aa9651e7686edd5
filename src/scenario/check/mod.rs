//! What TOML types can't express: references, order, ranges. Finds every mistake, not only the first.

mod alerts;
mod course;
mod edges;
mod expectations;
mod leaks;
mod milestones;
mod names;
mod never;
mod numbers;
mod settings;
mod steps;
mod values;
mod warnings;
mod world;

use super::diagnostic::Diagnostic;
use super::file::ScenarioFile;

pub(super) use course::course;
pub(super) use never::never;
pub(super) use settings::{size, too_much_of_variants, unused};
pub use values::is_id;
pub(super) use warnings::warnings;

/// The most steps that a file may have.
const MOST_STEPS: usize = 10_000;

/// The most outcomes of one step: each that follows one is looked for among them.
const MOST_OUTCOMES: usize = 100;

/// All mistakes in a file that has the right shape.
pub(super) fn diagnostics(file: &ScenarioFile) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    values::identity(file, &mut found);
    values::provenance(file, &mut found);
    settings::settings(file, &mut found);
    values::phases(file, &mut found);
    values::metrics(file, &mut found);
    values::impact(file, &mut found);
    values::hypotheses(file, &mut found);
    alerts::alerts(file, &mut found);
    world::world(file, &mut found);
    if let Some(step) = file.steps.get(MOST_STEPS) {
        let message = format!("{} steps: at most {MOST_STEPS} are allowed", file.steps.len());
        found.push(Diagnostic::new(step.id.span(), message, "the first too many"));
        return found;
    }
    let by_id = edges::ById::new(file);
    let mut drawn = file.steps.iter().filter_map(|step| step.draws.as_ref());
    if let Some(draws) = drawn.find(|draws| draws.get_ref().0.len() > MOST_OUTCOMES) {
        let message =
            format!("{} outcomes of one step: at most {MOST_OUTCOMES} are allowed", draws.get_ref().0.len());
        found.push(Diagnostic::new(draws.span(), message, "these"));
        return found;
    }
    steps::references(file, &by_id, &mut found);
    steps::ranges(file, &mut found);
    steps::repeats(file, &by_id, &mut found);
    edges::cycles(file, &by_id, &mut found);
    milestones::milestones(file, &mut found);
    steps::resolution(file, &by_id, &mut found);
    expectations::expectations(file, &mut found);
    found
}
