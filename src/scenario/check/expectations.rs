//! `[expect]` refers to what the file defines.

use toml::Spanned;

use super::names::step_ids;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expect::Expect;
use crate::scenario::file::ScenarioFile;

/// Every name in `[expect]` is defined in the file: else the expectation could never hold.
pub(super) fn expectations(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let Some(expect) = &file.expect else { return };
    let Expect { phases, order, root_cause, .. } = expect.get_ref();
    let mut unknown = |what: &str, name: &str, known: &[&str]| {
        if !known.contains(&name) {
            let here = Spanned::new(expect.span(), name.to_owned());
            found.push(Diagnostic::unknown(&format!("{what} in [expect]:"), &here, known.iter().copied()));
        }
    };
    let known: Vec<&str> = file.phases.iter().map(|phase| phase.name.get_ref().as_str()).collect();
    for phase in phases.iter().flatten() {
        unknown("phase", phase, &known);
    }
    let known: Vec<&str> = step_ids(file).collect();
    for step in order.iter().flatten() {
        unknown("step", step, &known);
    }
    let known: Vec<&str> = file.hypotheses.iter().map(|known| known.id.get_ref().as_str()).collect();
    if let Some(cause) = root_cause {
        unknown("hypothesis", cause, &known);
    }
}
