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
    if let Some(step) = file.steps.get(MOST_STEPS) {
        let message = format!("{} steps: more than {MOST_STEPS}", file.steps.len());
        found.push(Problem::new(step.id.span(), message, "the first too many"));
        return found;
    }
    let by_id = steps::ById::new(file);
    steps::references(file, &by_id, &mut found);
    steps::ranges(file, &mut found);
    steps::cycles(file, &by_id, &mut found);
    steps::resolution(file, &by_id, &mut found);
    steps::expectations(file, &mut found);
    found
}

/// The most steps that a file has.
const MOST_STEPS: usize = 10_000;

/// Values whose sums and products stay far from infinity, which JSON can't say.
const LARGEST: f64 = 1e12;

/// Also whether it is a number at all.
fn sensible(value: f64) -> bool {
    value.abs() <= LARGEST
}

fn not_sensible(span: std::ops::Range<usize>, what: &str) -> Problem {
    let message = format!("{what} has to be a number from -10^12 to 10^12");
    Problem::new(span, message, "out of range").help("a larger unit makes a smaller number")
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
