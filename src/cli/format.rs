//! Money, phases and status as a terminal shows them; what is not about terminals is the report's too.

use colored::{Color, ColoredString, Colorize};

use crate::contract::{Cost, Status};
pub(super) use crate::report::words::{clock, metric, money, value};

/// `+$13,000/min`, incident time.
pub(super) fn rate(cost: &Cost) -> String {
    format!("+{}/min", money(&cost.currency, cost.per_minute))
}

/// `97%`, or blanks.
pub(super) fn percent(confidence: Option<f64>) -> String {
    confidence.map_or_else(|| "    ".to_owned(), |confidence| format!("{:3.0}%", confidence * 100.0))
}

/// A text in its phase's colour, as the page has it.
pub(super) fn in_phase(phase: &str, text: &str) -> ColoredString {
    let color = match phase {
        "detect" => Color::BrightBlue,
        "diagnose" => Color::BrightYellow,
        "predict" => Color::BrightMagenta,
        _ => Color::BrightGreen,
    };
    text.color(color)
}

/// One column that says how an action stands.
pub(super) fn mark(status: Status) -> ColoredString {
    match status {
        Status::InProgress => "…".normal(),
        Status::Completed => "✓".green(),
        Status::Failed => "✗".red().bold(),
    }
}

/// A text from somewhere else without what would steer the terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
