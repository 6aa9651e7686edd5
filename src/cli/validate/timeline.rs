//! `validate --timeline`: prints the plan of a scenario.

use std::io::Write;
use std::path::Path;

use super::targets::scenario_at;
use crate::cli::exit::{Exit, Failure};
use crate::cli::format;
use crate::contract::Message;
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
        let what = match &message {
            Message::IncidentStarted(started) => format!("start: {}", started.title),
            Message::AgentAction(action) => {
                let cause = action.caused_by.map(|cause| format!(" <- {cause}")).unwrap_or_default();
                let attempt = action.attempt.map(|attempt| format!(" #{attempt}")).unwrap_or_default();
                let step = action.step.as_deref().unwrap_or_default();
                let percent = format::percent(action.confidence);
                let status = action.status.as_str();
                format!("{percent} {}: {step}{attempt} {status}{cause}", action.agent)
            }
            Message::SystemMetrics(sample) => {
                let cost =
                    sample.cost.as_ref().map(|cost| format!(" cost {:.2}", cost.total)).unwrap_or_default();
                let values =
                    sample.metrics.iter().map(|(name, value)| format!("{name} {}", format::value(*value)));
                format!("     {}{cost}", values.collect::<Vec<_>>().join(", "))
            }
            Message::IncidentResolved(resolved) => format!("end: {}", resolved.summary),
            Message::StreamOpened(_) | Message::Heartbeat(_) => continue,
        };
        let screen = Micros(event.due).secs();
        let offset = message.offset_s().unwrap_or_default();
        writeln!(out, "{:>5}  {screen:>8.2}s  {offset:>10.2}s  {phase:<9}  {what}", index + 1)?;
    }
    Ok(Exit::Fine)
}
