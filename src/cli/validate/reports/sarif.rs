//! The findings as SARIF 2.1.0, which code scanning reads: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>.

use std::path::Path;

use serde_json::{Value, json};

use super::super::judged::Findings;
use super::escape::line;
use super::items::{self, Item, Level};
use crate::check::Verdict;
use crate::visible;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// One log with one run.
pub(super) fn text(found: &Findings) -> String {
    let rules: Vec<(&str, &str)> = items::all_rules().collect();
    let place = |rule: &str| rules.iter().position(|(name, _)| *name == rule).unwrap_or_default();
    let results: Vec<Value> = items::all(found).iter().map(|item| result(item, place(item.rule))).collect();
    let driver = json!({
        "name": "incident",
        "version": env!("CARGO_PKG_VERSION"),
        "rules": rules.iter().map(|(name, meaning)| rule(name, meaning)).collect::<Vec<_>>(),
    });
    // Whether the validator could do its work, not whether the targets pass.
    let could_work = found.failure.is_none() && found.unjudged.is_empty() && !found.is_interrupted();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": could_work,
                "exitCode": found.exit() as i32,
                "toolExecutionNotifications": left_out(found).iter().map(|text| notification(text)).collect::<Vec<_>>(),
            }],
            "results": results,
        }],
    });
    visible::json(&log.to_string()).into_owned() + "\n"
}

/// What is not among the results: what an interruption left out, findings beyond the number that is kept of a rule, and parts of
/// contracts.
fn left_out(found: &Findings) -> Vec<String> {
    let mut texts: Vec<String> = found.interruption().into_iter().collect();
    for target in &found.judged {
        for (rule, verdict) in &target.results {
            if let Verdict::Failed(findings, more @ 1..) = verdict {
                let (kept, all) = (findings.len(), findings.len() as u64 + more);
                texts.push(format!(
                    "{}: {} has {all} findings; the first {kept} are results",
                    target.name, rule.name
                ));
            }
        }
        texts.extend(target.left_out.iter().map(|what| format!("{}: not checked: {what}", target.name)));
    }
    texts
}

fn notification(text: &str) -> Value {
    json!({ "level": "note", "message": { "text": line(text) } })
}

fn rule(name: &str, meaning: &str) -> Value {
    let help = format!("{meaning}. `incident validate --list` has the limits of the rule and an example.");
    json!({
        "id": name,
        "name": name,
        "shortDescription": { "text": sentence(meaning) },
        "fullDescription": { "text": sentence(meaning) },
        "help": { "text": sentence(&help) },
        "defaultConfiguration": { "level": "error" },
    })
}

/// With a capital at its beginning.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

fn result(item: &Item, rule: usize) -> Value {
    let level = match item.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let mut message = item.message.clone();
    if !item.place.is_empty() {
        message += &format!(" (at {})", item.place);
    }
    if let Some(hint) = &item.hint {
        message += &format!("; help: {hint}");
    }
    let mut result = json!({
        "ruleId": item.rule,
        "ruleIndex": rule,
        "level": level,
        "message": { "text": line(&message) },
        "properties": {
            "target": item.target,
            "place": item.place,
            "pointer": item.pointer,
            "hint": item.hint,
            "more": item.more,
        },
    });
    let stream = item.file.as_ref().map(|file| location(file, item.line, item.column));
    let scenario = item.scenario.as_ref().map(|(file, line)| location(file, Some(*line), None));
    // The scenario is a file of the repository; the transcript is mostly none.
    let (first, other) = if scenario.is_some() { (scenario, stream) } else { (stream, None) };
    if let Some(mut first) = first {
        if !item.pointer.is_empty() {
            first["logicalLocations"] = json!([{ "fullyQualifiedName": item.pointer }]);
        }
        result["locations"] = json!([first]);
    }
    if let Some(mut other) = other {
        other["message"] = json!({ "text": "in the transcript" });
        result["relatedLocations"] = json!([other]);
    }
    result
}

fn location(file: &str, line: Option<usize>, column: Option<usize>) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(file) } });
    if let Some(line) = line.filter(|line| *line > 0) {
        physical["region"] = json!({ "startLine": line });
        if let Some(column) = column.filter(|column| *column > 0) {
            physical["region"]["startColumn"] = column.into();
        }
    }
    json!({ "physicalLocation": physical })
}

/// A path as a URI reference. A relative one stays relative: to the folder of the run, which is the repository's in CI.
fn uri(file: &str) -> String {
    let path = Path::new(file);
    let mut uri = String::from(if path.is_absolute() { "file://" } else { "" });
    let relative = file.strip_prefix("./").unwrap_or(file);
    for byte in relative.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri += &format!("%{byte:02X}"),
        }
    }
    uri
}
