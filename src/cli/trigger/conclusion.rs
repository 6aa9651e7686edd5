//! The result of an incident, for people and for programs.

use std::io::IsTerminal;

use crate::cli::exit::{Exit, Failure};
use crate::cli::format;
use crate::cli::out::{print, say_in_lines};
use crate::contract::Outcome;
use crate::report::IncidentState;

/// Prints the result of an incident that has ended, and returns the exit status.
pub(super) fn conclude(incident: &IncidentState, json: bool) -> Result<Exit, Failure> {
    let Some(resolution) = &incident.resolution else { return Ok(Exit::Internal) };
    let seconds = resolution.durations.resolve_s;
    let word = match resolution.outcome {
        Outcome::Resolved => "resolved",
        Outcome::Cancelled => "cancelled",
    };
    if std::io::stderr().is_terminal() {
        say_in_lines(&conclusion(incident, word, seconds));
    }
    // For programs, and for users who did not see the checklist.
    let watched = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    if !json && !watched {
        let cost = incident.cost.as_ref().map_or(0.0, |cost| cost.total);
        print(format!("{} {word} {seconds:.1} {cost:.2}", incident.id))?;
    }
    Ok(if resolution.outcome == Outcome::Resolved { Exit::Fine } else { Exit::Unresolved })
}

/// `Resolved in 02:58, 2 s under target · cost $8,122 · 10 actions, 3 failed`
fn conclusion(incident: &IncidentState, word: &str, seconds: f64) -> String {
    let mut text = format!("{}{} in {}", word[..1].to_uppercase(), &word[1..], format::clock(seconds));
    if let (Some(target), "resolved") = (incident.target_s, word) {
        let by = seconds - target;
        let side = if by > 0.0 { "over" } else { "under" };
        text += &match by.abs() {
            near if near < 0.5 => ", right on target".to_owned(),
            far if far < 60.0 => format!(", {far:.0} s {side} target"),
            far => format!(", {} {side} target", format::clock(far)),
        };
    }
    if let Some(cost) = &incident.cost {
        text += &format!(" · cost {}", format::money(&cost.currency, cost.total));
    }
    text + &format!(
        " · {}, {} failed",
        format::count(incident.actions.total.into(), "action"),
        incident.actions.failed
    )
}
