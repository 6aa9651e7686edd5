//! Prints the verdicts for people: a line for what passes, everything about what fails.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

use colored::Colorize;
use console::measure_text_width;

use super::json::as_json;
use super::judged::{Findings, Judged};
use crate::check::{Finding, Rule, Verdict};
use crate::cli::exit::Failure;
use crate::cli::{fit, format, mistakes};

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
    let mut out = std::io::stdout().lock();
    match format {
        Format::Json => writeln!(out, "{}", as_json(found))?,
        Format::Pretty => {
            let width = found.judged.iter().map(|target| measure_text_width(&target.name)).max();
            for target in &found.judged {
                let whole = detail == Detail::Rules || (detail == Detail::Targets && !target.passes());
                if whole {
                    all_rules(&mut out, target)?;
                    warnings(&mut out, target)?;
                } else if target.passes() && detail == Detail::Targets {
                    one_line(&mut out, target, width.unwrap_or_default())?;
                    warnings(&mut out, target)?;
                } else {
                    failures(&mut out, target)?;
                }
            }
            if detail == Detail::Targets {
                not_checked(&mut out, &found.judged)?;
            }
            counts(&mut out, found, detail, again)?;
        }
    }
    Ok(())
}

/// `PASS scenarios/database-outage.toml  11 checks`
fn one_line(out: &mut impl Write, target: &Judged, width: usize) -> std::io::Result<()> {
    let checks = format::count(target.count(is_passed), "check");
    let name = console::pad_str(&target.name, width, console::Alignment::Left, None);
    writeln!(out, "{} {name}  {checks}", "PASS".green())
}

/// What the times show about the server's clock.
fn warnings(out: &mut impl Write, target: &Judged) -> std::io::Result<()> {
    for warning in &target.clock {
        let text = format!("  {} {}", "warning:".yellow(), format::plain(warning));
        let columns = if std::io::stdout().is_terminal() { fit::of_stdout() } else { usize::MAX };
        writeln!(out, "{}", fit::wrapped(&text, columns, 5).join("\n"))?;
    }
    Ok(())
}

/// A line for each rule, and more for those that fail.
fn all_rules(out: &mut impl Write, target: &Judged) -> std::io::Result<()> {
    writeln!(out, "{}", target.name.bold())?;
    for (rule, verdict) in &target.results {
        match verdict {
            Verdict::Passed(summary) => {
                writeln!(out, "  {} {:<10} {summary}", "PASS".green(), rule.name)?;
            }
            Verdict::NotChecked(why) => {
                let why = format!("not checked: {why}").dimmed();
                writeln!(out, "  {} {:<10} {why}", "  --".dimmed(), rule.name)?;
            }
            Verdict::Failed(findings, more) => failed(out, target, rule, findings, *more)?,
        }
    }
    Ok(())
}

fn failed(
    out: &mut impl Write,
    target: &Judged,
    rule: &Rule,
    findings: &[Finding],
    uncounted: u64,
) -> std::io::Result<()> {
    let Some(first) = findings.first() else { return Ok(()) };
    let label = "FAIL".red().bold();
    writeln!(out, "  {label} {:<10} {}{}", rule.name, first.message, more(findings, uncounted))?;
    let line = first.line.map(|line| format!(":{line}")).unwrap_or_default();
    let file = target.transcript.as_ref().map(|file| format!("{}{line}", file.display()));
    let place = Some(format!("at {}", first.place)).filter(|_| !first.place.is_empty());
    let field = Some(first.pointer.clone()).filter(|pointer| !pointer.is_empty());
    let places: Vec<String> = place.into_iter().chain(field).chain(file).collect();
    if !places.is_empty() {
        writeln!(out, "       {}", places.join("  "))?;
    }
    if let Some(hint) = &first.hint {
        writeln!(out, "       {hint}")?;
    }
    Ok(())
}

/// A line for each rule that fails, which stands for itself.
fn failures(out: &mut impl Write, target: &Judged) -> std::io::Result<()> {
    for (rule, verdict) in &target.results {
        if let Verdict::Failed(findings, uncounted) = verdict
            && let Some(first) = findings.first()
        {
            writeln!(out, "{}: {}: {}{}", target.name, rule.name, first.message, more(findings, *uncounted))?;
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
fn not_checked(out: &mut impl Write, judged: &[Judged]) -> std::io::Result<()> {
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
        let columns = if std::io::stdout().is_terminal() { fit::of_stdout() } else { usize::MAX };
        writeln!(out, "{}", fit::wrapped(&text, columns, 5).join("\n").dimmed())?;
    }
    Ok(())
}

fn counts(out: &mut impl Write, found: &Findings, detail: Detail, again: &str) -> std::io::Result<()> {
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
        writeln!(out, "{}", counts.red().bold())?;
    } else if !judged.iter().all(Judged::passes) {
        writeln!(out, "{counts}")?;
    } else if detail != Detail::Failures {
        writeln!(out, "{}", counts.green().bold())?;
    }
    if failed > 0 {
        let mut rules: Vec<&str> = Vec::new();
        for (rule, verdict) in judged.iter().flat_map(|target| &target.results) {
            if is_failed(verdict) && !rules.contains(&rule.name) {
                rules.push(rule.name);
            }
        }
        let rules: String = rules.iter().map(|rule| format!(" --rule {rule}")).collect();
        writeln!(out, "Again: {again}{rules}")?;
    }
    for target in judged {
        if let Some(why) = &target.unchecked {
            writeln!(out, "{} in {}: {why}", "nothing was checked".red().bold(), target.name)?;
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
