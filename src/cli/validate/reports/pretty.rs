//! The verdicts for people: a line for what passes, everything about what fails, and what to do next.

use colored::Colorize;

use super::super::judged::{Findings, Judged, is_failed, is_not_checked, is_passed};
use super::escape::line;
use super::items::{self, Item};
use crate::check::{Finding, Rule, Verdict};
use crate::cli::{fit, format, mistakes};

/// How many findings of a rule are shown.
const SHOWN: usize = 3;

/// How many parts of a contract that are not checked are shown.
const MOST_LEFT_OUT: usize = 10;

/// The columns before the text about a rule.
const INDENT: usize = 18;

/// How much of the verdicts is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Detail {
    /// Only what fails.
    Failures,
    /// A line for each target that passes, and the rules that fail.
    Targets,
    /// All rules of all targets.
    Rules,
}

impl Detail {
    pub(in super::super) fn of(quiet: bool, verbose: bool) -> Self {
        match (quiet, verbose) {
            (true, _) => Self::Failures,
            (false, true) => Self::Rules,
            (false, false) => Self::Targets,
        }
    }
}

/// How the verdicts are printed.
#[derive(Debug, Clone)]
pub(in super::super) struct View {
    pub(in super::super) detail: Detail,
    /// The columns of the terminal.
    pub(in super::super) columns: usize,
    /// The commands that check again, with what each is for.
    pub(in super::super) next: Vec<(&'static str, String)>,
    /// The JSON report that is written too.
    pub(in super::super) json: Option<String>,
}

/// The whole text.
pub(super) fn text(found: &Findings, view: &View) -> String {
    let mut page = Page { view, lines: Vec::new() };
    let width = found.judged.iter().map(|target| fit::width(&line(&target.name))).max().unwrap_or_default();
    for (place, target) in found.judged.iter().enumerate() {
        match view.detail {
            Detail::Failures => page.failures(target),
            Detail::Targets if target.passes() => {
                page.one_line(target, width);
                page.warnings(target);
            }
            Detail::Targets | Detail::Rules => {
                page.gap(place > 0);
                page.whole(target);
                page.warnings(target);
                page.gap(place + 1 < found.judged.len());
            }
        }
    }
    if view.detail == Detail::Targets {
        page.not_checked(&found.judged);
    }
    if view.detail != Detail::Failures {
        page.left_out(&found.judged);
    }
    let is_long = view.detail == Detail::Targets && !found.judged.iter().all(Judged::passes);
    page.gap(is_long);
    page.counts(found);
    for (name, command) in &view.next {
        page.lines.push(format!("{:<9}{command}", format!("{name}:")));
    }
    page.lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

struct Page<'a> {
    view: &'a View,
    lines: Vec<String>,
}

impl Page<'_> {
    /// An empty line, unless there is one.
    fn gap(&mut self, wanted: bool) {
        if wanted && self.lines.last().is_some_and(|last| !last.is_empty()) {
            self.lines.push(String::new());
        }
    }

    /// `PASS scenarios/database-outage.toml  11 checks`
    fn one_line(&mut self, target: &Judged, width: usize) {
        let mut checks = format::count(target.count(is_passed), "check");
        if target.is_interrupted {
            checks += ", and then interrupted";
        }
        let name = line(&target.name);
        let padding = " ".repeat(width.saturating_sub(fit::width(&name)));
        self.lines.push(format!("{} {name}{padding}  {checks}", "PASS".green()));
    }

    /// What failed, and the names of what passed; with all details a line for each rule.
    fn whole(&mut self, target: &Judged) {
        let all = self.view.detail == Detail::Rules;
        self.lines.push(line(&target.name).bold().to_string());
        for (rule, verdict) in &target.results {
            match verdict {
                Verdict::Failed(findings, more) => self.failed(target, rule, findings, *more),
                Verdict::Passed(summary) if all => {
                    self.labelled(&"PASS".green().to_string(), rule.name, summary, false);
                }
                Verdict::NotChecked(why) if all => {
                    self.labelled(
                        &"  --".dimmed().to_string(),
                        rule.name,
                        &format!("not checked: {why}"),
                        true,
                    );
                }
                Verdict::Passed(_) | Verdict::NotChecked(_) => {}
            }
        }
        let passed: Vec<&str> = if all { Vec::new() } else { target.names(is_passed) };
        if !passed.is_empty() {
            let text = format!("  PASS {}", passed.join(", "));
            self.wrapped(&text, 7, true);
        }
    }

    /// What is worth knowing beside the verdicts.
    fn warnings(&mut self, target: &Judged) {
        for warning in &target.remarks {
            let text = format!("  {} {}", "warning:".yellow(), line(warning));
            self.wrapped(&text, 5, false);
        }
    }

    /// `  FAIL gap        position 40 is missing`
    fn labelled(&mut self, label: &str, rule: &str, text: &str, dimmed: bool) {
        let text = fit::wrapped(&line(text), self.view.columns.saturating_sub(INDENT).max(20), 0);
        for (place, part) in text.iter().enumerate() {
            let part = if dimmed { part.dimmed().to_string() } else { part.clone() };
            self.lines.push(match place {
                0 => format!("  {label} {rule:<10} {part}"),
                _ => format!("{:INDENT$}{part}", ""),
            });
        }
    }

    fn failed(&mut self, target: &Judged, rule: &'static Rule, findings: &[Finding], uncounted: u64) {
        let items = items::failed(target, rule, findings, uncounted);
        let mut before: Option<&Item> = None;
        for item in items.iter().take(SHOWN) {
            // The same at another place is said once.
            match before {
                None => self.labelled(&"FAIL".red().bold().to_string(), rule.name, &item.message, false),
                Some(before) if before.message == item.message => {}
                Some(_) => self.below(&line(&item.message)),
            }
            self.place(item);
            if before.is_none_or(|before| before.hint != item.hint) {
                self.hint(item);
            }
            before = Some(item);
        }
        let hidden = items.len().saturating_sub(SHOWN) as u64;
        if hidden + uncounted > 0 {
            let text = self.more(hidden, uncounted, items.len());
            self.below(&text);
        }
    }

    /// `and 97 more; --report json=FILE lists them`
    fn more(&self, hidden: u64, uncounted: u64, kept: usize) -> String {
        let where_to = match &self.view.json {
            Some(file) => format!("{} has", line(file)),
            None => "--report json=FILE lists".to_owned(),
        };
        let which = if uncounted > 0 { format!("the first {kept}") } else { "all".to_owned() };
        format!("and {} more; {where_to} {which}", hidden + uncounted)
    }

    /// Where a finding is. The file comes first, and nothing is put into it: terminals open it.
    fn place(&mut self, item: &Item) {
        let file = item.location().map(|file| line(&file));
        let place = Some(line(&item.place)).filter(|place| !place.is_empty());
        let field = Some(format!("field {}", line(&item.pointer))).filter(|_| !item.pointer.is_empty());
        let parts: Vec<String> = [file, place, field].into_iter().flatten().collect();
        let width = parts.iter().map(|part| fit::width(part) + 2).sum::<usize>();
        let lines =
            if INDENT + width > self.view.columns.saturating_add(2) { parts } else { vec![parts.join("  ")] };
        for part in lines.iter().filter(|part| !part.is_empty()) {
            self.lines.push(format!("{:INDENT$}{}", "", part.dimmed()));
        }
    }

    /// What to look at or to do.
    fn hint(&mut self, item: &Item) {
        if let Some(hint) = &item.hint {
            let text = format!("help: {}", line(hint));
            for (place, part) in
                fit::wrapped(&text, self.view.columns.saturating_sub(INDENT).max(20), 6).iter().enumerate()
            {
                let part = match part.strip_prefix("help:") {
                    Some(rest) if place == 0 => format!("{}{rest}", "help:".cyan()),
                    _ => part.clone(),
                };
                self.lines.push(format!("{:INDENT$}{part}", ""));
            }
        }
    }

    /// A text under that of the rule.
    fn below(&mut self, text: &str) {
        for part in fit::wrapped(text, self.view.columns.saturating_sub(INDENT).max(20), 0) {
            self.lines.push(format!("{:INDENT$}{part}", ""));
        }
    }

    fn wrapped(&mut self, text: &str, indent: usize, dimmed: bool) {
        let lines = fit::wrapped(text, self.view.columns, indent);
        self.lines
            .extend(lines.into_iter().map(|line| if dimmed { line.dimmed().to_string() } else { line }));
    }

    /// A line for each rule that fails, which stands for itself.
    fn failures(&mut self, target: &Judged) {
        for (rule, verdict) in &target.results {
            if let Verdict::Failed(findings, uncounted) = verdict
                && let Some(first) = findings.first()
            {
                let more = match findings.len() as u64 - 1 + uncounted {
                    0 => String::new(),
                    more => format!("  (and {more} more)"),
                };
                let text = format!("{}: {}: {}{more}", target.name, rule.name, first.message);
                self.lines.push(line(&text));
            }
        }
    }

    /// `  -- not checked: heartbeat, pacing: arrival times are only checked with --real-time or --url`
    fn not_checked(&mut self, judged: &[Judged]) {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for (rule, verdict) in
            judged.iter().filter(|one| one.unchecked.is_none()).flat_map(|one| &one.results)
        {
            if let Verdict::NotChecked(why) = verdict {
                match reasons.iter_mut().find(|(known, _)| known == why) {
                    Some((_, rules)) if rules.contains(&rule.name) => {}
                    Some((_, rules)) => rules.push(rule.name),
                    None => reasons.push((why, vec![rule.name])),
                }
            }
        }
        for (why, rules) in reasons {
            let text = line(&format!("  -- not checked: {}: {why}", rules.join(", ")));
            self.wrapped(&text, 5, true);
        }
    }

    /// `  -- not checked: pattern `(?=a)` in c.json:3 at #/properties/type/pattern: look-ahead is not supported`
    fn left_out(&mut self, judged: &[Judged]) {
        let mut told: Vec<&String> = Vec::new();
        for what in judged.iter().flat_map(|target| &target.left_out) {
            if !told.contains(&what) {
                told.push(what);
            }
        }
        let (shown, hidden) = told.split_at(told.len().min(MOST_LEFT_OUT));
        for what in shown {
            self.wrapped(&line(&format!("  -- not checked: {what}")), 5, true);
        }
        if !hidden.is_empty() {
            let text = format!("  -- not checked: {} more parts of the contract", hidden.len());
            self.wrapped(&text, 5, true);
        }
    }

    fn counts(&mut self, found: &Findings) {
        let judged = &found.judged;
        let sum = |wanted| judged.iter().map(|target| target.count(wanted)).sum::<u64>();
        let (passed, failed, unchecked) = (sum(is_passed), sum(is_failed), sum(is_not_checked));
        for target in judged {
            if let Some(why) = &target.unchecked {
                let head = "nothing was checked".red().bold();
                self.lines.push(format!("{head} in {}: {}", line(&target.name), line(why)));
            }
        }
        let targets = format::count(judged.len() as u64, "target");
        let total = passed + failed;
        let checks = format::count(total, "check");
        let mut counts =
            format!("{targets}, {checks}: {passed} passed, {failed} failed, {unchecked} not checked");
        if !found.wrong.is_empty() {
            counts += &format!("; {}", mistakes::summary(&found.wrong));
        }
        if !found.unjudged.is_empty() {
            counts += &format!("; {} not judged", format::count(found.unjudged.len() as u64, "target"));
        }
        let interruption = found.interruption();
        counts.extend(interruption.iter().map(|interruption| format!("; {interruption}")));
        let warnings = judged.iter().map(|target| {
            target.remarks.len() + target.warned.as_ref().map_or(0, |warned| warned.diagnostics.len())
        });
        match warnings.sum::<usize>() as u64 {
            0 => {}
            warnings => counts += &format!("; {}", format::count(warnings, "warning")),
        }
        if total == 0 || failed > 0 || !found.wrong.is_empty() || !found.unjudged.is_empty() {
            self.lines.push(counts.red().bold().to_string());
        } else if !judged.iter().all(Judged::passes) {
            self.lines.push(counts);
        } else if self.view.detail != Detail::Failures {
            let colored = if interruption.is_some() { counts.yellow() } else { counts.green() };
            self.lines.push(colored.bold().to_string());
        }
    }
}
