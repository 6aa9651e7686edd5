//! `[expect]` refers to what the file defines.

use toml::Spanned;

use super::names::{Names, step_ids};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::expect::Expect;
use crate::scenario::file::ScenarioFile;

/// Every name in `[expect]` is defined in the file: else the expectation could never hold.
pub(super) fn expectations(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let Some(expect) = &file.expect else { return };
    let Expect { phases, order, root_cause, .. } = expect.get_ref();
    let here = |name: &String| Spanned::new(expect.span(), name.clone());
    let known =
        Names::new("phase in [expect]:", file.phases.iter().map(|phase| phase.name.get_ref().as_str()));
    for phase in phases.iter().flatten() {
        known.refer(&here(phase), found);
    }
    let known = Names::new("step in [expect]:", step_ids(file));
    for step in order.iter().flatten() {
        known.refer(&here(step), found);
    }
    let hypotheses = file.hypotheses.iter().map(|known| known.id.get_ref().as_str());
    if let Some(cause) = root_cause {
        Names::new("hypothesis in [expect]:", hypotheses).refer(&here(cause), found);
    }
}
