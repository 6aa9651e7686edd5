//! What TOML types can't say: references, order, ranges. Finds every mistake, not just the first.

mod steps;
mod values;

use super::{Problem, ScenarioFile};

/// Everything that is wrong with a file that has the right shape.
pub(super) fn problems(file: &ScenarioFile) -> Vec<Problem> {
    let mut found = Vec::new();
    values::identity(file, &mut found);
    values::phases(file, &mut found);
    values::metrics(file, &mut found);
    values::impact(file, &mut found);
    values::hypotheses(file, &mut found);
    steps::references(file, &mut found);
    steps::ranges(file, &mut found);
    steps::cycles(file, &mut found);
    steps::resolution(file, &mut found);
    steps::expectations(file, &mut found);
    found
}

/// Reports the second of two things with one name.
fn unique<'a>(
    what: &str,
    names: impl IntoIterator<Item = &'a toml::Spanned<String>>,
    found: &mut Vec<Problem>,
) {
    let mut seen = std::collections::HashSet::new();
    for name in names {
        if !seen.insert(name.get_ref()) {
            found.push(Problem::new(
                name.span(),
                format!("two {what} are called {:?}", name.get_ref()),
                "the second",
            ));
        }
    }
}
