//! Names: each is unique, and every reference has a target.

use std::collections::HashSet;

use toml::Spanned;

use crate::scenario::diagnostic::{Diagnostic, MOST_DIAGNOSTICS};
use crate::scenario::file::ScenarioFile;
use crate::scenario::suggest::shortened;

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
                format!("two {what} are called {:?}", shortened(name.get_ref())),
                "the second",
            ));
        }
    }
}

/// The ids of all steps, in the order of the file.
pub(super) fn step_ids(file: &ScenarioFile) -> impl Iterator<Item = &str> + Clone {
    file.steps.iter().map(|step| step.id.get_ref().as_str())
}

/// Names of one kind that other parts of the file refer to, in the order of the file.
pub(super) struct Names<'a> {
    what: &'static str,
    all: Vec<&'a str>,
    known: HashSet<&'a str>,
}

impl<'a> Names<'a> {
    pub(super) fn new(what: &'static str, names: impl Iterator<Item = &'a str>) -> Self {
        let all: Vec<&str> = names.collect();
        Self { what, known: all.iter().copied().collect(), all }
    }

    pub(super) fn of_hypotheses(file: &'a ScenarioFile) -> Self {
        Self::new("hypothesis", file.hypotheses.iter().map(|known| known.id.get_ref().as_str()))
    }

    pub(super) fn of_phases(file: &'a ScenarioFile) -> Self {
        Self::new("phase", file.phases.iter().map(|phase| phase.name.get_ref().as_str()))
    }

    /// Reports a reference to what the file does not define. After many mistakes nothing is suggested any more, because
    /// every suggestion compares all names.
    pub(super) fn refer(&self, name: &Spanned<String>, found: &mut Vec<Diagnostic>) {
        if self.known.contains(name.get_ref().as_str()) {
            return;
        }
        found.push(if found.len() < MOST_DIAGNOSTICS {
            Diagnostic::unknown(self.what, name, self.all.iter().copied())
        } else {
            let message = format!("unknown {} {:?}", self.what, shortened(name.get_ref()));
            Diagnostic::new(name.span(), message, "not defined here")
        });
    }
}
