//! Types and listed values: narrowed, widened or changed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::words::{choice, list, shown, type_name};
use super::change::Breaks;
use super::report::{Pair, Report};
use super::shape::Shape;

const NULL: &str = "null";

const ALL: [&str; 7] = ["array", "boolean", "fraction", "integer", "null", "object", "string"];

/// Compares whether a value may be null, which is a matter of the field and not of the definition that it refers to. Types
/// are compared without null from then on.
pub(super) fn null(report: &mut Report<'_>, old: &mut Shape, new: &mut Shape, name: &str, pointer: &str) {
    let (Some(before), Some(after)) = (&mut old.types, &mut new.types) else { return };
    let is_only_null = |types: &BTreeSet<String>| types.len() == 1 && types.contains(NULL);
    if is_only_null(before) || is_only_null(after) {
        return;
    }
    match (before.remove(NULL), after.remove(NULL)) {
        (false, true) => report.note(Breaks::Readers, pointer, format!("{name} may now be null")),
        (true, false) => report.note(Breaks::Writers, pointer, format!("{name} may no longer be null")),
        _ => {}
    }
}

/// Compares types and values. Returns whether anything else is worth comparing: whether they have a type in common.
pub(super) fn compare(report: &mut Report<'_>, pair: &Pair) -> bool {
    let all = || ALL.map(str::to_owned).into();
    let old: BTreeSet<String> = pair.old.types.clone().unwrap_or_else(all);
    let new: BTreeSet<String> = pair.new.types.clone().unwrap_or_else(all);
    let is_fixed = pair.old.values.is_some() && pair.new.values.is_some();
    let (added, removed) = (new.difference(&old).next(), old.difference(&new).next());
    // Of two lists of values the values say it all.
    if let Some(breaks) = Breaks::of(added.is_some(), removed.is_some())
        && !is_fixed
    {
        let (name, was, is) = (&pair.name, names(&old), names(&new));
        let text = match breaks {
            Breaks::Readers => format!("the type of {name} was widened from {was} to {is}"),
            Breaks::Writers => format!("the type of {name} was narrowed from {was} to {is}"),
            _ => format!("the type of {name} changed from {was} to {is}"),
        };
        report.note(breaks, &pair.pointer, text);
    }
    listed(report, pair);
    old.intersection(&new).next().is_some()
}

fn listed(report: &mut Report<'_>, pair: &Pair) {
    let name = &pair.name;
    let texts = |values: &[Value]| values.iter().map(shown).collect::<Vec<_>>();
    match (&pair.old.values, &pair.new.values) {
        (Some(old), Some(new)) => {
            let missing = |from: &[Value], of: &[Value]| {
                texts(&of.iter().filter(|value| !from.contains(value)).cloned().collect::<Vec<_>>())
            };
            let (added, removed) = (missing(old, new), missing(new, old));
            if let ([was], [is], [_]) = (old.as_slice(), new.as_slice(), added.as_slice()) {
                let text = format!("{name} is now always {}; it was always {}", shown(is), shown(was));
                report.note(Breaks::Both, &pair.pointer, text);
                return;
            }
            if !added.is_empty() {
                let text = format!("{name} may now also be {}", list(&added, "or"));
                report.note(Breaks::Readers, &pair.pointer, text);
            }
            if !removed.is_empty() {
                let text = format!("{name} may no longer be {}", list(&removed, "or"));
                report.note(Breaks::Writers, &pair.pointer, text);
            }
        }
        (Some(old), None) => {
            let text = format!("{name} may now have any value; it was {}", choice(&texts(old)));
            report.note(Breaks::Readers, &pair.pointer, text);
        }
        (None, Some(new)) => {
            let text = format!("{name} may now only be {}; it could have any value", choice(&texts(new)));
            report.note(Breaks::Writers, &pair.pointer, text);
        }
        (None, None) => {}
    }
}

/// Types in words: `a text or null`.
fn names(types: &BTreeSet<String>) -> String {
    if types.len() == ALL.len() {
        return "any type".to_owned();
    }
    let word = |name: &str| match name {
        "integer" if types.contains("fraction") => None,
        "fraction" => Some(type_name("number").to_owned()),
        name => Some(type_name(name).to_owned()),
    };
    // Null comes last, as one says it.
    let (null, others): (Vec<&str>, Vec<&str>) =
        types.iter().map(String::as_str).partition(|name| *name == NULL);
    let words: Vec<String> = others.into_iter().chain(null).filter_map(word).collect();
    list(&words, "or")
}
