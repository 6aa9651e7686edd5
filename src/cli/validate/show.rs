//! Prints the verdicts for people: a line for what passes, everything about what fails.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, stdout};

use colored::Colorize;

use super::json::as_json;
use super::judged::{Findings, Judged};
use crate::check::{Finding, Rule, Verdict};
use crate::cli::exit::Failure;
use crate::cli::out::{painted, print, print_json};
use crate::cli::{fit, format, mistakes};
use crate::visible::visible;

/// The formats of the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Text for people
    #[default]
    Pretty,
    /// One JSON object
    Json,
}

/// How much of the verdicts is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Only what fails.
    Failures,
    /// A line for each target that passes, and all rules of those that fail.
    Targets,
    /// All rules of all targets.
    Rules,
}

impl Detail {
    pub(super) fn of(quiet: bool, verbose: bool) -> Self {
        match (quiet, verbose) {
            (true, _) => Self::Failures,
            (false, true) => Self::Rules,
            (false, false) => Self::Targets,
        }
    }
}

pub(super) fn results(found: &Findings, format: Format, detail: Detail, again: &str) -> Result<(), Failure> {
    match format {
        Format::Json => print_json(&as_json(found))?,
        Format::Pretty => {
            let width = found.judged.iter().map(|target| fit::width(&visible(&target.name))).max();
            for target in &found.judged {
                let whole = detail == Detail::Rules || (detail == Detail::Targets && !target.passes());
                if whole {
                    all_rules(target)?;
                    warnings(target)?;
                } else if target.passes() && detail == Detail::Targets {
                    one_line(target, width.unwrap_or_default())?;
                    warnings(target)?;
                } else {
                    failures(target)?;
                }
            }
            if detail == Detail::Targets {
                not_checked(&found.judged)?;
            }
            counts(found, detail, again)?;
        }
    }
    Ok(())
}

/// `PASS scenarios/database-outage.toml  11 checks`
fn one_line(target: &Judged, width: usize) -> io::Result<()> {
    let checks = format::count(target.count(is_passed), "check");
    let name = visible(&target.name);
    print(painted!["PASS".green(), " ", fit::at_least(&name, width), "  ", checks])
}

/// What the times show about the server's clock.
fn warnings(target: &Judged) -> io::Result<()> {
    for warning in &target.clock {
        let columns = if stdout().is_terminal() { fit::of_stdout() } else { usize::MAX };
        let text = format!("  warning: {}", visible(warning));
        for line in fit::wrapped(&text, columns, 5) {
            print(line.as_str().yellow())?;
        }
    }
    Ok(())
}

/// A line for each rule, and more for those that fail.
fn all_rules(target: &Judged) -> io::Result<()> {
    print(target.name.as_str().bold())?;
    for (rule, verdict) in &target.results {
        match verdict {
            Verdict::Passed(summary) => {
                print(painted!["  ", "PASS".green(), format!(" {:<10} ", rule.name), summary])?;
            }
            Verdict::NotChecked(why) => {
                let why = format!("not checked: {why}").dimmed();
                print(painted!["  ", "  --".dimmed(), format!(" {:<10} ", rule.name), why])?;
            }
            Verdict::Failed(findings, more) => failed(target, rule, findings, *more)?,
        }
    }
    Ok(())
}

fn failed(target: &Judged, rule: &Rule, findings: &[Finding], uncounted: u64) -> io::Result<()> {
    let Some(first) = findings.first() else { return Ok(()) };
    let label = "FAIL".red().bold();
    print(painted!["  ", label, format!(" {:<10} ", rule.name), first.message, more(findings, uncounted)])?;
    let line = first.line.map(|line| format!(":{line}")).unwrap_or_default();
    let file = target.transcript.as_ref().map(|file| format!("{}{line}", file.display()));
    let place = Some(format!("at {}", first.place)).filter(|_| !first.place.is_empty());
    let field = Some(first.pointer.clone()).filter(|pointer| !pointer.is_empty());
    let places: Vec<String> = place.into_iter().chain(field).chain(file).collect();
    if !places.is_empty() {
        print(format!("       {}", places.join("  ")))?;
    }
    if let Some(hint) = &first.hint {
        print(format!("       {hint}"))?;
    }
    Ok(())
}

/// A line for each rule that fails, which stands for itself.
fn failures(target: &Judged) -> io::Result<()> {
    for (rule, verdict) in &target.results {
        if let Verdict::Failed(findings, uncounted) = verdict
            && let Some(first) = findings.first()
        {
            print(format!(
                "{}: {}: {}{}",
                target.name,
                rule.name,
                first.message,
                more(findings, *uncounted)
            ))?;
        }
    }
    Ok(())
}

fn more(findings: &[Finding], uncounted: u64) -> String {
    match findings.len() as u64 - 1 + uncounted {
        0 => String::new(),
        more => format!("  (and {more} more)"),
    }
}

/// `  -- heartbeat, pacing: arrival times count with --real-time and --url only`: the rules that were checked on none of the
/// targets that pass.
fn not_checked(judged: &[Judged]) -> io::Result<()> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (rule, verdict) in judged.iter().filter(|target| target.passes()).flat_map(|target| &target.results) {
        if let Verdict::NotChecked(why) = verdict {
            let rules = reasons.entry(why).or_default();
            if !rules.contains(&rule.name) {
                rules.push(rule.name);
            }
        }
    }
    for (why, rules) in reasons {
        let text = format!("  -- not checked: {}: {why}", rules.join(", "));
        let columns = if stdout().is_terminal() { fit::of_stdout() } else { usize::MAX };
        fit::wrapped(&visible(&text), columns, 5)
            .iter()
            .try_for_each(|line| print(line.as_str().dimmed()))?;
    }
    Ok(())
}

fn counts(found: &Findings, detail: Detail, again: &str) -> io::Result<()> {
    let judged = &found.judged;
    let sum = |wanted| judged.iter().map(|target| target.count(wanted)).sum::<u64>();
    let (passed, failed, unchecked) = (sum(is_passed), sum(is_failed), sum(is_not_checked));
    let targets = format::count(judged.len() as u64, "target");
    let total = passed + failed;
    let mut counts =
        format!("{targets}, {total} checks: {passed} passed, {failed} failed, {unchecked} not checked");
    if !found.wrong.is_empty() {
        counts += &format!("; {}", mistakes::summary(&found.wrong));
    }
    let warnings = judged.iter().map(|target| {
        target.clock.len() + target.warned.as_ref().map_or(0, |warned| warned.diagnostics.len())
    });
    match warnings.sum::<usize>() as u64 {
        0 => {}
        warnings => counts += &format!("; {}", format::count(warnings, "warning")),
    }
    if total == 0 || failed > 0 || !found.wrong.is_empty() {
        print(counts.red().bold())?;
    } else if !judged.iter().all(Judged::passes) {
        print(counts)?;
    } else if detail != Detail::Failures {
        print(counts.green().bold())?;
    }
    if failed > 0 {
        let mut rules: Vec<&str> = Vec::new();
        for (rule, verdict) in judged.iter().flat_map(|target| &target.results) {
            if is_failed(verdict) && !rules.contains(&rule.name) {
                rules.push(rule.name);
            }
        }
        let rules: String = rules.iter().map(|rule| format!(" --rule {rule}")).collect();
        print(format!("Again: {again}{rules}"))?;
    }
    for target in judged {
        if let Some(why) = &target.unchecked {
            print(painted!["nothing was checked".red().bold(), " in ", target.name, ": ", why])?;
        }
    }
    Ok(())
}

fn is_passed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Passed(_))
}

fn is_failed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Failed(..))
}

fn is_not_checked(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::NotChecked(_))
}
