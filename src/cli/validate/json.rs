//! The verdicts as one JSON object.

use serde_json::{Value, json};

use super::judged::{Findings, Judged};
use crate::check::Verdict;
use crate::cli::exit::Exit;
use crate::scenario::ScenarioError;

/// All verdicts, and the mistakes of the files that could not be played.
pub(super) fn as_json(found: &Findings) -> Value {
    let count =
        |wanted: fn(&Verdict) -> bool| found.judged.iter().map(|target| target.count(wanted)).sum::<u64>();
    json!({
        "passed": found.exit() == Exit::Fine,
        "checks": {
            "passed": count(|verdict| matches!(verdict, Verdict::Passed(_))),
            "failed": count(|verdict| matches!(verdict, Verdict::Failed(..))),
            "not_checked": count(|verdict| matches!(verdict, Verdict::NotChecked(_))),
        },
        "targets": found.judged.iter().map(target).collect::<Vec<_>>(),
        "wrong_files": found.wrong.iter().map(wrong_file).collect::<Vec<_>>(),
    })
}

fn target(target: &Judged) -> Value {
    let rules = target.results.iter().map(|(rule, verdict)| match verdict {
        Verdict::Passed(summary) => json!({ "rule": rule.name, "status": "passed", "summary": summary }),
        Verdict::NotChecked(why) => json!({ "rule": rule.name, "status": "not_checked", "why": why }),
        Verdict::Failed(findings, more) => {
            let findings = findings.iter().map(|finding| {
                json!({
                    "message": finding.message,
                    "line": finding.line,
                    "place": finding.place,
                    "pointer": finding.pointer,
                    "hint": finding.hint,
                })
            });
            json!({ "rule": rule.name, "status": "failed", "findings": findings.collect::<Vec<_>>(), "more": more })
        }
    });
    let clock = target.clock.iter().map(|warning| json!({ "message": warning }));
    json!({
        "target": target.name,
        "transcript": target.transcript.as_ref().map(|file| file.display().to_string()),
        "nothing_checked": target.unchecked,
        "rules": rules.collect::<Vec<_>>(),
        "warnings": target.warned.as_ref().map_or_else(Vec::new, diagnostics).into_iter().chain(clock).collect::<Vec<_>>(),
    })
}

fn wrong_file(error: &ScenarioError) -> Value {
    json!({ "file": error.origin(), "mistakes": diagnostics(error) })
}

fn diagnostics(error: &ScenarioError) -> Vec<Value> {
    let diagnostics = error.diagnostics.iter().map(|diagnostic| {
        let (line, column) = error.line_column(diagnostic.span.start);
        json!({ "message": diagnostic.message, "line": line, "column": column, "help": diagnostic.help })
    });
    diagnostics.collect()
}
