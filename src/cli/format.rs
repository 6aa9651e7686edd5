//! Times, money and phases as people read them.

use colored::{Color, ColoredString, Colorize};

use crate::contract::{Cost, Status};

/// `01:20`, `1:02:33`; negative with a sign.
pub(super) fn clock(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let whole = seconds.abs().floor() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{sign}{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{sign}{minutes:02}:{seconds:02}")
    }
}

/// `$4,310`, `4,310 CHF`.
pub(super) fn money(currency: &str, amount: f64) -> String {
    let digits = format!("{:.0}", amount.max(0.0));
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match currency {
        "USD" => format!("${grouped}"),
        "EUR" => format!("€{grouped}"),
        "GBP" => format!("£{grouped}"),
        other => format!("{grouped} {other}"),
    }
}

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

/// A metric's value without a tail of digits.
pub(super) fn value(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A metric's value in the unit that the incident announced for it.
pub(super) fn metric(number: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{:.1}%", number * 100.0),
        "1/s" => format!("{}/s", value(number)),
        "%" => format!("{}%", value(number)),
        "" | "count" => value(number),
        _ => format!("{} {unit}", value(number)),
    }
}

/// A text from somewhere else without what would steer the terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
