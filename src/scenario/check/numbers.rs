//! The range of numbers that a scenario may use.

use crate::scenario::diagnostic::Diagnostic;

/// Sums and products of values up to this stay far below infinity, which JSON can't express.
const LARGEST: f64 = 1e12;

/// Whether a value is a number within the range. Not-a-number is not.
pub(super) fn in_range(value: f64) -> bool {
    value.abs() <= LARGEST
}

/// What to write instead of a part that was probably given in percent.
pub(super) fn percent(mistake: Diagnostic, number: f64) -> Diagnostic {
    if number > 1.0 && number <= 100.0 {
        return mistake.help(format!("write {number} % as {}", number / 100.0));
    }
    mistake
}

/// The diagnostic for a value that is not [`in_range`].
pub(super) fn out_of_range(span: std::ops::Range<usize>, what: &str) -> Diagnostic {
    let message = format!("{what} must be a number from -10^12 to 10^12");
    Diagnostic::new(span, message, "out of range").help("a larger unit makes the number smaller")
}
