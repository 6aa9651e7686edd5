//! The findings as commands of GitHub Actions, which shows them at the files of a pull request:
//! `::error file=run.ndjson,line=40,title=gap::position 40 is missing`.

use super::super::judged::Findings;
use super::escape::line;
use super::items::{self, Item, Level};

/// How many findings of a rule get an annotation. GitHub shows ten in a step.
const SHOWN: usize = 3;

/// A line for each finding, at most three of a rule and target.
pub(super) fn text(found: &Findings) -> String {
    let items = items::all(found);
    let groups = items.chunk_by(|one, next| (one.rule, &one.target) == (next.rule, &next.target));
    let mut text = String::new();
    for group in groups {
        let shown = group.len().min(SHOWN);
        let kept: u64 = group.iter().map(|item| item.more).sum();
        let more = (group.len() - shown) as u64 + kept;
        for (place, item) in group[..shown].iter().enumerate() {
            let more = if place + 1 == shown { more } else { 0 };
            text += &annotation(item, more);
        }
    }
    text
}

fn annotation(item: &Item, more: u64) -> String {
    let command = match item.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    // A scenario is a file of the repository; a transcript is mostly none.
    let (file, line, column) = match &item.scenario {
        Some((file, line)) => (Some(file), Some(*line), None),
        None => (item.file.as_ref(), item.line, item.column),
    };
    let mut properties = Vec::new();
    properties.extend(file.map(|file| format!("file={}", property(file))));
    properties.extend(line.map(|line| format!("line={line}")));
    properties.extend(column.map(|column| format!("col={column}")));
    properties.push(format!("title={}", property(&format!("incident validate: {}", item.rule))));
    let mut lines = vec![item.message.clone()];
    lines.extend((item.target != file.map_or("", |file| file)).then(|| format!("in {}", item.target)));
    lines.extend((!item.place.is_empty()).then(|| format!("at {}", item.place)));
    lines.extend((!item.pointer.is_empty()).then(|| format!("field {}", item.pointer)));
    lines.extend(item.location().filter(|_| item.scenario.is_some()));
    lines.extend(item.hint.as_ref().map(|hint| format!("help: {hint}")));
    lines.extend((more > 0).then(|| format!("and {more} more")));
    let lines: Vec<String> = lines.iter().map(|line| data(line)).collect();
    format!("::{command} {}::{}\n", properties.join(","), lines.join("%0A"))
}

/// The message of a command. Line breaks are already visible.
fn data(text: &str) -> String {
    line(text).replace('%', "%25")
}

/// A value before the message, where colons and commas have a meaning.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
