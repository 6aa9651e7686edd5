//! Prints the verdicts, for people or as JSON.

use std::io::Write;

use colored::Colorize;
use serde_json::{Value, json};

use super::judged::{Judged, exit_of};
use crate::check::Verdict;
use crate::cli::exit::{Exit, Failure};
use crate::cli::format;

/// The formats of the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Text for people
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
    let targets = format::count(judged.len() as u64, "target");
    let total = passed + failed;
    let counts =
        format!("{targets}, {total} checks: {passed} passed, {failed} failed, {unchecked} not checked");
    if total == 0 {
        writeln!(out, "{}", counts.red().bold())?;
    } else if failed > 0 {
        writeln!(out, "{}", counts.red().bold())?;
        let rules: String = failed_rules.iter().map(|rule| format!(" --rule {rule}")).collect();
        writeln!(out, "Again: {again}{rules}")?;
    } else if !judged.iter().all(Judged::passes) {
        writeln!(out, "{counts}")?;
    } else if !quiet {
        writeln!(out, "{}", counts.green().bold())?;
    }
    for target in judged {
        if let Some(why) = &target.unchecked {
            writeln!(out, "{} in {}: {why}", "nothing was checked".red().bold(), target.name)?;
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
        "passed": exit_of(judged) == Exit::Fine,
        "checks": {
            "passed": count(|outcome| matches!(outcome, Verdict::Passed(_))),
            "failed": count(|outcome| matches!(outcome, Verdict::Failed(_))),
            "not_checked": count(|outcome| matches!(outcome, Verdict::NotChecked(_))),
        },
        "targets": targets.collect::<Vec<_>>(),
    })
}
