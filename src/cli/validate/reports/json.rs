//! The verdicts as one JSON object.

use serde_json::{Value, json};

use super::super::judged::{Findings, Judged, Unjudged};
use super::items::{self, Item};
use crate::check::Verdict;
use crate::cli::exit::Exit;
use crate::scenario::ScenarioError;
use crate::visible;

/// All verdicts, and the mistakes of the files that could not be played.
pub(super) fn text(found: &Findings) -> String {
    let count =
        |wanted: fn(&Verdict) -> bool| found.judged.iter().map(|target| target.count(wanted)).sum::<u64>();
    let value = json!({
        "passed": found.exit() == Exit::Fine,
        "checks": {
            "passed": count(|verdict| matches!(verdict, Verdict::Passed(_))),
            "failed": count(|verdict| matches!(verdict, Verdict::Failed(..))),
            "not_checked": count(|verdict| matches!(verdict, Verdict::NotChecked(_))),
        },
        "targets": found.judged.iter().map(target).collect::<Vec<_>>(),
        "wrong_files": found.wrong.iter().map(wrong_file).collect::<Vec<_>>(),
        "not_judged": found.unjudged.iter().map(unjudged).collect::<Vec<_>>(),
        "interrupted": found.is_interrupted(),
        "failure": found.failure.as_ref().map(|(why, _)| why),
    });
    visible::json(&value.to_string()).into_owned() + "\n"
}

fn target(target: &Judged) -> Value {
    let rules = target.results.iter().map(|(rule, verdict)| match verdict {
        Verdict::Passed(summary) => json!({ "rule": rule.name, "status": "passed", "summary": summary }),
        Verdict::NotChecked(why) => json!({ "rule": rule.name, "status": "not_checked", "why": why }),
        Verdict::Failed(findings, more) => {
            let findings = items::failed(target, rule, findings, *more);
            let findings: Vec<Value> = findings.iter().map(finding).collect();
            json!({ "rule": rule.name, "status": "failed", "findings": findings, "more": more })
        }
    });
    let remarks = target.remarks.iter().map(|warning| json!({ "message": warning }));
    json!({
        "target": target.name,
        "transcript": target.transcript.as_ref().map(|file| file.display().to_string()),
        "nothing_checked": target.unchecked,
        "interrupted": target.is_interrupted,
        "contract_not_checked": target.left_out,
        "rules": rules.collect::<Vec<_>>(),
        "warnings": target.warned.as_ref().map_or_else(Vec::new, diagnostics).into_iter().chain(remarks).collect::<Vec<_>>(),
    })
}

fn finding(item: &Item) -> Value {
    json!({
        "message": item.message,
        "place": item.place,
        "pointer": item.pointer,
        "file": item.file,
        "line": item.line,
        "scenario": item.scenario.as_ref().map(|(file, line)| json!({ "file": file, "line": line })),
        "hint": item.hint,
    })
}

fn unjudged(one: &Unjudged) -> Value {
    json!({ "target": one.name, "why": one.why() })
}

fn wrong_file(error: &ScenarioError) -> Value {
    json!({ "file": error.origin(), "mistakes": diagnostics(error) })
}

fn diagnostics(error: &ScenarioError) -> Vec<Value> {
    let diagnostics = items::mistakes(error).into_iter().map(|item| {
        json!({ "message": item.message, "line": item.line, "column": item.column, "help": item.hint })
    });
    diagnostics.collect()
}
