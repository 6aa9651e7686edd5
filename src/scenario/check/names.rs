//! Names: each is unique, and every reference has a target.

use std::collections::HashSet;

use toml::Spanned;

use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::file::ScenarioFile;

/// Reports the second of two things with the same name.
pub(super) fn unique<'a>(
    what: &str,
    names: impl IntoIterator<Item = &'a Spanned<String>>,
    found: &mut Vec<Diagnostic>,
) {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name.get_ref()) {
            found.push(Diagnostic::new(
                name.span(),
                format!("two {what} are called {:?}", name.get_ref()),
                "the second",
            ));
        }
    }
}

/// The ids of all steps, in the order of the file.
pub(super) fn step_ids(file: &ScenarioFile) -> impl Iterator<Item = &str> + Clone {
    file.steps.iter().map(|step| step.id.get_ref().as_str())
}

/// Reports a reference to a hypothesis that the file does not define.
pub(super) fn known_hypothesis(file: &ScenarioFile, name: &Spanned<String>, found: &mut Vec<Diagnostic>) {
    if !file.hypotheses.iter().any(|known| known.id.get_ref() == name.get_ref()) {
        let names = file.hypotheses.iter().map(|known| known.id.get_ref().as_str());
        found.push(Diagnostic::unknown("hypothesis", name, names));
    }
}
