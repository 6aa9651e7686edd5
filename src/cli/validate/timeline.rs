//! `validate --timeline`: prints the plan of a scenario, on a terminal as bars too.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::anyhow;

use super::bars;
use super::targets::sound_scenario_at;
use crate::cli::exit::{Exit, Failure};
use crate::cli::out::{Painted, painted};
use crate::cli::{fit, format, out, scenarios};
use crate::contract::Message;
use crate::plan::{Firing, Plan};
use crate::report::Line;
use crate::scenario::{Micros, Scenario, ScenarioError, Settings};
use crate::visible::visible;

/// The one scenario that is wanted: the flag's, or what stands beside the flag.
fn wanted(named: &[PathBuf], beside: &[PathBuf]) -> Result<Scenario, Failure> {
    let one = match (named, beside) {
        ([one], []) | ([], [one]) => one.as_path(),
        _ => {
            let error = anyhow!("--timeline prints the plan of one scenario");
            return Err(
                Failure::new(Exit::Usage, error).hint("as in `incident validate --timeline mine.toml`")
            );
        }
    };
    match scenarios::name_of(one) {
        Some(name) => scenarios::named(name, None),
        None => sound_scenario_at(one),
    }
}

/// Prints each event with the time at which it is due, on screen and in the incident. What is suspicious in the scenario goes to
/// `warn`.
pub(super) fn print(
    named: &[PathBuf],
    beside: &[PathBuf],
    settings: &Settings,
    warn: impl FnOnce(&ScenarioError),
) -> Result<Exit, Failure> {
    let scenario = wanted(named, beside)?;
    let scenario = scenario.with(settings).map_err(|error| Failure::new(Exit::Usage, error))?;
    let plan = scenario.compile(scenario.file.seed).map_err(|error| Failure::new(Exit::Scenario, error))?;
    if let Some(warned) = scenario.warned() {
        warn(&warned);
    }
    out::print(format!("{:>5}  {:>9}  {:>11}  {:<9}  what", "index", "screen", "incident", "phase"))?;
    let terminal = std::io::stdout().is_terminal();
    let columns = if terminal { Some(fit::of_stdout()) } else { None };
    for (index, event) in plan.events().iter().enumerate() {
        let message = event.message().map_err(|error| Failure::new(Exit::Internal, error))?;
        let phase = message.phase().unwrap_or_default();
        let (lead, what) = if let Message::AgentAction(action) = &message {
            let cause = action.caused_by.map(|cause| format!(" <- {cause}")).unwrap_or_default();
            let attempt = action.attempt.map(|attempt| format!(" #{attempt}")).unwrap_or_default();
            let step = action.step.as_deref().unwrap_or_default();
            let belief = Line::of(&message).belief;
            let percent = format::percent(action.confidence.filter(|_| belief.is_none()));
            let belief = belief.map(|belief| format!(" ({belief})")).unwrap_or_default();
            let status = action.status.as_str();
            (percent, format!("{}: {step}{attempt} {status}{belief}{cause}", action.agent))
        } else {
            (format::percent(None), Line::of(&message).text)
        };
        let screen = Micros(event.due).secs();
        let offset = message.offset_s().unwrap_or_default();
        let begin = format!("{:>5}  {screen:>8.2}s  {offset:>10.2}s  ", index + 1);
        row(painted![begin, fit::at_least(&visible(phase), 9), "  ", lead, " "], &what, columns)?;
    }
    alerts(&plan, columns)
}

/// The fewest columns in which the text of a row stands beside its times.
const BESIDE: usize = 30;

/// How far it is indented below them.
const BELOW: usize = 7;

/// Prints a row in as many lines as a terminal of that many columns needs.
fn row(begin: Painted, what: &str, columns: Option<usize>) -> Result<(), Failure> {
    let what = visible(what);
    let Some(columns) = columns else {
        out::print(painted![begin, what])?;
        return Ok(());
    };
    let indent = begin.width();
    let lines = if columns >= indent + BESIDE {
        fit::wrapped(&what, columns - indent, 0)
    } else {
        out::print(begin)?;
        let below = " ".repeat(BELOW);
        for line in fit::wrapped(&what, columns.saturating_sub(BELOW), 0) {
            out::print(painted![below.as_str(), line])?;
        }
        return Ok(());
    };
    let mut lines = lines.into_iter();
    out::print(painted![begin, lines.next().unwrap_or_default()])?;
    for line in lines {
        out::print(painted![" ".repeat(indent), line])?;
    }
    Ok(())
}

/// Prints when each alert begins and ends on screen.
fn alerts(plan: &Plan, columns: Option<usize>) -> Result<Exit, Failure> {
    let alerts = &plan.symptoms.alerts;
    if !alerts.is_empty() {
        out::print("")?;
        out::print(format!("{:>10}  {:>10}  alert", "fires", "until"))?;
    }
    for alert in alerts {
        let decoy = if alert.decoy { " (decoy)" } else { "" };
        let what = format!("{}: {} {}{decoy}", alert.service, alert.severity, alert.name);
        for Firing { from, to } in &alert.firings {
            let secs = |micros: i64| micros as f64 / 1e6;
            let begin = format!("{:>9.2}s  {:>9.2}s  ", secs(*from), secs(*to));
            row(painted![begin], &what, columns)?;
        }
        if alert.firings.is_empty() {
            row(painted![format!("{:>10}  {:>10}  ", "never", "")], &what, columns)?;
        }
    }
    if let Some(columns) = columns {
        out::print("")?;
        for line in bars::lines(plan, columns) {
            out::print(line)?;
        }
    }
    Ok(Exit::Fine)
}
