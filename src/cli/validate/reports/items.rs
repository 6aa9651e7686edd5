//! What all formats report: everything that keeps the targets from passing, and the warnings, each with its place.

use super::super::judged::{Findings, Judged};
use crate::check::{Finding, RULES, Rule, Verdict};
use crate::scenario::ScenarioError;

/// What is reported beside the rules, with its meaning.
pub(super) const BESIDE: [(&str, &str); 4] = [
    (SCENARIO, "a scenario file has no mistakes, and nothing in it is suspicious"),
    (CHECKED, "something was checked: events arrived, and at least one rule applied to them"),
    (INTERRUPTED, "no signal ends the validator before everything is checked"),
    (RUN, "the validator can do its work: it reaches the server and reads the files"),
];

pub(super) const SCENARIO: &str = "scenario-file";
pub(super) const CHECKED: &str = "nothing-checked";
pub(super) const INTERRUPTED: &str = "interrupted";
pub(super) const RUN: &str = "run";

/// The names and meanings of everything that can be reported.
pub(super) fn all_rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.iter().map(|rule| (rule.name, rule.meaning)).chain(BESIDE)
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Error,
    Warning,
}

/// One finding, mistake or warning.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) level: Level,
    pub(super) target: String,
    pub(super) rule: &'static str,
    pub(super) message: String,
    /// Where in the stream it is.
    pub(super) place: String,
    /// A JSON pointer to the attribute or field.
    pub(super) pointer: String,
    /// The recording, transcript or scenario file.
    pub(super) file: Option<String>,
    pub(super) line: Option<usize>,
    pub(super) column: Option<usize>,
    /// The file and line of the `[expect]` table that was not met.
    pub(super) scenario: Option<(String, usize)>,
    pub(super) hint: Option<String>,
    /// How many more findings of the rule were counted and not kept. Only the last one that was kept says it.
    pub(super) more: u64,
}

impl Item {
    fn new(level: Level, target: &str, rule: &'static str, message: &str) -> Self {
        Self {
            level,
            target: target.to_owned(),
            rule,
            message: message.to_owned(),
            place: String::new(),
            pointer: String::new(),
            file: None,
            line: None,
            column: None,
            scenario: None,
            hint: None,
            more: 0,
        }
    }

    /// `FILE:LINE`, as terminals and editors open it.
    pub(super) fn location(&self) -> Option<String> {
        let file = self.file.as_ref()?;
        let numbers = [self.line, self.column].into_iter().flatten().map(|number| format!(":{number}"));
        Some(std::iter::once(file.clone()).chain(numbers).collect())
    }
}

/// Everything, in the order of the targets.
pub(super) fn all(found: &Findings) -> Vec<Item> {
    let mut items: Vec<Item> = found.wrong.iter().flat_map(mistakes).collect();
    for target in &found.judged {
        items.extend(target.warned.iter().flat_map(mistakes));
        items.extend(target.remarks.iter().map(|remark| remarked(target, remark)));
        items.extend(unchecked(target));
        items.extend(interrupted(target));
        for (rule, verdict) in &target.results {
            if let Verdict::Failed(findings, more) = verdict {
                items.extend(failed(target, rule, findings, *more));
            }
        }
    }
    let unjudged = found.unjudged.iter();
    items.extend(unjudged.map(|one| Item {
        file: Some(one.name.clone()),
        ..Item::new(Level::Error, &one.name, RUN, &one.why())
    }));
    items.extend(found.failure.as_ref().map(|(why, _)| Item::new(Level::Error, "validate", RUN, why)));
    items
}

/// The findings of a rule.
pub(super) fn failed(target: &Judged, rule: &'static Rule, findings: &[Finding], more: u64) -> Vec<Item> {
    let file = target.transcript.as_ref().map(|file| file.display().to_string());
    let item = |finding: &Finding| Item {
        place: finding.place.clone(),
        pointer: finding.pointer.clone(),
        file: file.clone(),
        line: finding.line,
        scenario: target.expected.clone().filter(|_| rule.name == "expect"),
        hint: finding.hint.clone(),
        ..Item::new(Level::Error, &target.name, rule.name, &finding.message)
    };
    let mut items: Vec<Item> = findings.iter().map(item).collect();
    if let Some(last) = items.last_mut() {
        last.more = more;
    }
    items
}

/// What is worth knowing beside the verdicts.
fn remarked(target: &Judged, remark: &str) -> Item {
    let file = target.transcript.as_ref().map(|file| file.display().to_string());
    Item { file, ..Item::new(Level::Warning, &target.name, RUN, remark) }
}

/// Why nothing was checked.
pub(super) fn unchecked(target: &Judged) -> Option<Item> {
    let why = target.unchecked.as_ref()?;
    let file = target.transcript.as_ref().map(|file| file.display().to_string());
    let message = format!("nothing was checked: {why}");
    Some(Item { file, ..Item::new(Level::Error, &target.name, CHECKED, &message) })
}

/// That it was not checked to its end.
pub(super) fn interrupted(target: &Judged) -> Option<Item> {
    let message = "interrupted: it was not checked to its end";
    target.is_interrupted.then(|| Item::new(Level::Error, &target.name, INTERRUPTED, message))
}

/// The mistakes and warnings of a scenario file.
pub(super) fn mistakes(error: &ScenarioError) -> Vec<Item> {
    let item = |diagnostic: &crate::scenario::Diagnostic| {
        let level = if diagnostic.is_warning { Level::Warning } else { Level::Error };
        let (line, column) = error.line_column(diagnostic.span.start);
        Item {
            file: Some(error.origin().to_owned()),
            line: Some(line),
            column: Some(column),
            hint: diagnostic.help.clone(),
            ..Item::new(level, error.origin(), SCENARIO, &diagnostic.message)
        }
    };
    error.diagnostics.iter().map(item).collect()
}
