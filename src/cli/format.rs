//! Numbers, phases and status as a terminal shows them. Formats that the report shares are in [`crate::report::words`].

use std::time::Duration;

use colored::{Color, ColoredString, Colorize};
use jiff::Timestamp;

use crate::client::Endpoints;
use crate::contract::{Cost, Status, parse_time};
pub(super) use crate::report::words::{clock, metric, money};

/// `+$13,000/min`, per minute of incident time.
pub(super) fn rate(cost: &Cost) -> String {
    format!("+{}/min", money(&cost.currency, cost.per_minute))
}

/// ` 97%`, or four spaces, also for what a server calls a confidence and is none.
pub(super) fn percent(confidence: Option<f64>) -> String {
    confidence
        .filter(|confidence| (0.0..=1.0).contains(confidence))
        .map_or_else(|| "    ".to_owned(), |confidence| format!("{:3.0}%", confidence * 100.0))
}

/// A text in the colour of its phase: the same colours as on the dashboard.
pub(super) fn in_phase(phase: &str, text: &str) -> ColoredString {
    let color = match phase {
        "detect" => Color::BrightBlue,
        "diagnose" => Color::BrightYellow,
        "predict" => Color::BrightMagenta,
        _ => Color::BrightGreen,
    };
    text.color(color)
}

/// That a connection is back: `reconnected after 0.4 s`, or with which of several servers.
pub(super) fn back(servers: &Endpoints, server: &str, away: Duration) -> String {
    let to = if servers.are_several() { format!(" to {server}") } else { String::new() };
    format!("reconnected{to} after {:.1} s", away.as_secs_f64())
}

/// The status of an action in one column.
pub(super) fn mark(status: Status) -> ColoredString {
    match status {
        Status::InProgress => "…".normal(),
        Status::Completed => "✓".green(),
        Status::Failed => "✗".red().bold(),
    }
}

/// Reads a flag with a probability.
pub(super) fn probability(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|p| (0.0..=1.0).contains(p))
        .ok_or_else(|| "it must be a number from 0 to 1".to_owned())
}

/// Reads a flag with a time.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    parse_time(text).ok_or_else(|| {
        "it is not a time with its zone as in RFC 3339, such as 2026-11-26T10:00:00Z".to_owned()
    })
}

/// Seconds for programs. What a server says may be so much that its digits would fill lines.
pub(super) fn seconds(seconds: f64) -> String {
    if seconds.abs() < 1e15 { format!("{seconds:.1}") } else { format!("{seconds:e}") }
}

/// `1 event`, `2 events`.
pub(super) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `event 7 is missing`, `events 7 to 9 are missing`.
pub(super) fn missing(from: u64, to: u64) -> String {
    if from == to { format!("event {from} is missing") } else { format!("events {from} to {to} are missing") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_is_not_many() {
        assert_eq!(missing(7, 7), "event 7 is missing");
        assert_eq!(missing(7, 9), "events 7 to 9 are missing");
    }
}
