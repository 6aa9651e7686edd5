//! The mistakes of scenario files on stderr: with the text around them for people, a line each in the log for programs.

use std::io::IsTerminal;

use super::fit;
use super::format::count;
use super::log::LogFormat;
use super::out::say_drawn;
use crate::client::urls_without_secrets;
use crate::scenario::ScenarioError;

/// Shows every mistake of some files.
pub(super) fn show(errors: &[ScenarioError], color: bool, log: LogFormat) {
    for error in errors {
        match log {
            LogFormat::Text => {
                let drawn = error.render_within(color, columns());
                // A URL with a password may have been given where a file is expected.
                let is_url = error.origin().contains("://");
                let drawn = if is_url { urls_without_secrets(&drawn) } else { drawn.as_str().into() };
                say_drawn(drawn.trim_end());
            }
            LogFormat::Json => logged("a scenario file", error),
        }
    }
}

/// Logs every mistake of a file, and what it is.
pub(super) fn logged(what: &str, error: &ScenarioError) {
    for mistake in error.to_string().lines() {
        tracing::error!(mistake, "{what} is wrong");
    }
}

/// The columns that a text on stderr may have.
fn columns() -> usize {
    if std::io::stderr().is_terminal() { fit::of_stderr() } else { usize::MAX }
}

/// `2 mistakes in 1 scenario file`.
pub(super) fn summary(errors: &[ScenarioError]) -> String {
    let mistakes: usize = errors.iter().map(|error| error.diagnostics.len() + error.left_out).sum();
    let mistakes = count(mistakes as u64, "mistake");
    format!("{mistakes} in {}", count(errors.len() as u64, "scenario file"))
}
