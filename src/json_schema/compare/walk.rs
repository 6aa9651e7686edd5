//! The walk through both versions at once.

use std::collections::HashSet;

use serde_json::Value;

use super::super::words::quoted;
use super::change::{Breaks, Change};
use super::report::{Pair, Report, Task};
use super::shape::At;
use super::{alternatives, fields, keywords, limits, values};

pub(super) fn walk(old: &Value, new: &Value) -> Vec<Change> {
    let root = |schema: &Value| At { schema: schema.clone(), pointer: String::new() };
    let mut report = Report::new(old, new);
    // The pairs of definitions that are compared already. Schemas refer to themselves.
    let mut seen = HashSet::new();
    let mut tasks = vec![Task { old: root(old), new: root(new), name: "the message".to_owned() }];
    while let Some(task) = tasks.pop() {
        if let Some(pair) = pair(&mut report, task, (old, new), &mut seen) {
            compare(&mut report, &pair);
        }
        // The first of them is next.
        tasks.extend(report.pending.drain(..).rev());
    }
    report.changes
}

/// The shapes of two schemas; `None` if they are of definitions that are compared already.
fn pair(
    report: &mut Report<'_>,
    Task { old, new, name }: Task,
    documents: (&Value, &Value),
    seen: &mut HashSet<(String, String)>,
) -> Option<Pair> {
    let pointer = old.pointer.clone();
    keywords::notes(report, &old.schema, &new.schema, &name, &pointer);
    let (mut old, mut new) = (report.old_shape(old), report.new_shape(new));
    values::null(report, &mut old, &mut new, &name, &pointer);
    if let (Some(old), Some(new)) = (&old.identity, &new.identity)
        && !seen.insert((old.clone(), new.clone()))
    {
        return None;
    }
    let shared = old.definition.clone().filter(|_| old.definition == new.definition);
    let Some(definition) = shared else { return Some(Pair { old, new, name, pointer }) };
    let (name, pointer) = (quoted(&definition), old.at.pointer.clone());
    let targets = (documents.0.pointer(&old.at.pointer), documents.1.pointer(&new.at.pointer));
    if let (Some(old), Some(new)) = targets {
        keywords::notes(report, old, new, &name, &pointer);
    }
    Some(Pair { old, new, name, pointer })
}

fn compare(report: &mut Report<'_>, pair: &Pair) {
    let (old, new) = (!pair.old.alternatives.is_empty(), !pair.new.alternatives.is_empty());
    if old || new {
        alternatives::compare(report, pair);
    }
    let beside = if old { pair.old.beside() } else { pair.new.beside() };
    if old != new && beside.is_some() {
        let text = format!("{} has other alternatives, and what that breaks cannot be told", pair.name);
        report.note(Breaks::Both, &pair.pointer, text);
    }
    if old == new && values::compare(report, pair) {
        limits::compare(report, pair);
        fields::compare(report, pair);
        keywords::compare(report, pair);
    }
}
