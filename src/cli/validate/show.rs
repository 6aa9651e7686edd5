//! Results: for people, as JSON; and the compiled plan of a scenario.

use std::io::Write;
use std::path::Path;

use colored::Colorize;
use serde_json::{Value, json};

use super::Judged;
use super::targets::scenario_at;
use crate::check::Verdict;
use crate::cli::exit::{Exit, Failure};
use crate::cli::format;
use crate::contract::Message;
use crate::scenario::Micros;

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Pretty,
    /// One JSON object
    Json,
}

pub(super) fn results(judged: &[Judged], format: Format, quiet: bool, again: &str) -> Result<(), Failure> {
    match format {
        Format::Pretty => pretty(judged, quiet, again),
        Format::Json => Ok(writeln!(std::io::stdout(), "{}", as_json(judged))?),
    }
}

fn pretty(judged: &[Judged], quiet: bool, again: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let mut failed_rules: Vec<&str> = Vec::new();
    let (mut passed, mut failed, mut unchecked) = (0, 0, 0);
    for target in judged {
        if !quiet {
            writeln!(out, "{}", target.name.bold())?;
        }
        for (rule, outcome) in &target.results {
            match outcome {
                Verdict::Passed(summary) => {
                    passed += 1;
                    if !quiet {
                        writeln!(out, "  {} {:<10} {summary}", "PASS".green(), rule.name)?;
                    }
                }
                Verdict::NotChecked(why) => {
                    unchecked += 1;
                    if !quiet {
                        writeln!(
                            out,
                            "  {} {:<10} {}",
                            "  --".dimmed(),
                            rule.name,
                            format!("not checked: {why}").dimmed()
                        )?;
                    }
                }
                Verdict::Failed(findings) => {
                    failed += 1;
                    if !failed_rules.contains(&rule.name) {
                        failed_rules.push(rule.name);
                    }
                    let Some(first) = findings.first() else { continue };
                    let more = if findings.len() > 1 {
                        format!("  (and {} more)", findings.len() - 1)
                    } else {
                        String::new()
                    };
                    if quiet {
                        writeln!(out, "{}: {}: {}{more}", target.name, rule.name, first.message)?;
                        continue;
                    }
                    writeln!(out, "  {} {:<10} {}{more}", "FAIL".red().bold(), rule.name, first.message)?;
                    let line = first.line.map(|line| format!(":{line}")).unwrap_or_default();
                    let at =
                        if first.place.is_empty() { String::new() } else { format!("at {}  ", first.place) };
                    writeln!(out, "       {at}{}{line}", target.transcript.display())?;
                    if let Some(hint) = &first.hint {
                        writeln!(out, "       {hint}")?;
                    }
                }
            }
        }
    }
    let targets = judged.len();
    let s = if targets == 1 { "" } else { "s" };
    let total = passed + failed;
    let counts = format!(
        "{targets} target{s}, {total} checks: {passed} passed, {failed} failed, {unchecked} not checked"
    );
    if total == 0 {
        writeln!(out, "{}", counts.red().bold())?;
    } else if failed > 0 {
        writeln!(out, "{}", counts.red().bold())?;
        let rules: String = failed_rules.iter().map(|rule| format!(" --rule {rule}")).collect();
        writeln!(out, "Again: {again}{rules}")?;
    } else if !judged.iter().all(Judged::is_sound) {
        writeln!(out, "{counts}")?;
    } else if !quiet {
        writeln!(out, "{}", counts.green().bold())?;
    }
    for target in judged {
        if let Some(why) = &target.unchecked {
            writeln!(out, "{} of {}: {why}", "nothing was checked".red().bold(), target.name)?;
        }
    }
    Ok(())
}

fn as_json(judged: &[Judged]) -> Value {
    let targets = judged.iter().map(|target| {
        let rules = target.results.iter().map(|(rule, outcome)| match outcome {
            Verdict::Passed(summary) => json!({ "rule": rule.name, "status": "passed", "summary": summary }),
            Verdict::NotChecked(why) => json!({ "rule": rule.name, "status": "not_checked", "why": why }),
            Verdict::Failed(findings) => {
                let findings = findings.iter().map(|finding| {
                    json!({
                        "message": finding.message,
                        "line": finding.line,
                        "place": finding.place,
                        "hint": finding.hint,
                    })
                });
                json!({ "rule": rule.name, "status": "failed", "findings": findings.collect::<Vec<_>>() })
            }
        });
        json!({
            "target": target.name,
            "transcript": target.transcript.display().to_string(),
            "nothing_checked": target.unchecked,
            "rules": rules.collect::<Vec<_>>(),
        })
    });
    let count = |wanted: fn(&Verdict) -> bool| {
        judged.iter().flat_map(|target| &target.results).filter(|(_, outcome)| wanted(outcome)).count()
    };
    json!({
        "passed": super::exit_of(judged) == Exit::Fine,
        "checks": {
            "passed": count(|outcome| matches!(outcome, Verdict::Passed(_))),
            "failed": count(|outcome| matches!(outcome, Verdict::Failed(_))),
            "not_checked": count(|outcome| matches!(outcome, Verdict::NotChecked(_))),
        },
        "targets": targets.collect::<Vec<_>>(),
    })
}

/// `--timeline`: when everything is due, on screen and in the incident.
pub(super) fn timeline(file: &Path) -> Result<Exit, Failure> {
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
