//! `validate --timeline`: prints the plan of a scenario.

use std::io::Write;
use std::path::Path;

use super::targets::scenario_at;
use crate::cli::exit::{Exit, Failure};
use crate::cli::format;
use crate::contract::Message;
use crate::report::Line;
use crate::scenario::Micros;

/// Prints each event with the time at which it is due, on screen and in the incident.
pub(super) fn print(file: &Path) -> Result<Exit, Failure> {
    let scenario = scenario_at(file)?;
    let plan = scenario.compile(scenario.file.seed).map_err(|error| Failure::new(Exit::Scenario, error))?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:>5}  {:>9}  {:>11}  {:<9}  what", "index", "screen", "incident", "phase")?;
    for (index, event) in plan.events().iter().enumerate() {
        let message = event.message().map_err(|error| Failure::new(Exit::Internal, error))?;
        let phase = message.phase().unwrap_or_default();
        let what = if let Message::AgentAction(action) = &message {
            let cause = action.caused_by.map(|cause| format!(" <- {cause}")).unwrap_or_default();
            let attempt = action.attempt.map(|attempt| format!(" #{attempt}")).unwrap_or_default();
            let step = action.step.as_deref().unwrap_or_default();
            let percent = format::percent(action.confidence);
            let status = action.status.as_str();
            format!("{percent} {}: {step}{attempt} {status}{cause}", action.agent)
        } else {
            format!("     {}", Line::of(&message).text)
        };
        let screen = Micros(event.due).secs();
        let offset = message.offset_s().unwrap_or_default();
        writeln!(out, "{:>5}  {screen:>8.2}s  {offset:>10.2}s  {phase:<9}  {what}", index + 1)?;
    }
    Ok(Exit::Fine)
}
