//! Texts of a file in a form that events can't have: of more than one line, empty, or no word.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::contract::is_one_line;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::suggest::shortened;

/// Parts of a file that are no events, or have rules of their own.
const OTHERS: [&str; 6] = ["alerts", "logs", "changes", "provenance", "parameters", "variant"];

/// The key of a text that may have several lines: that of evidence.
const FREE: &str = "text";

/// At most that many mistakes.
pub(super) fn broken(table: &DeTable<'_>, most: usize) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (key, value) in table.iter().filter(|(key, _)| !OTHERS.contains(&key.get_ref().as_ref())) {
        look(key, value, most, &mut found);
    }
    if let Some(title) = table.get("title") {
        filled("title", title, &mut found);
    }
    services(table, &mut found);
    let steps = table.get("steps").and_then(|steps| steps.get_ref().as_array());
    for step in steps.into_iter().flat_map(|steps| steps.iter()) {
        if let Some(action) = step.get_ref().as_table().and_then(|step| step.get("action")) {
            word(action, &mut found);
        }
        if found.len() >= most {
            break;
        }
    }
    found
}

fn filled(key: &str, value: &Spanned<DeValue<'_>>, found: &mut Vec<Diagnostic>) {
    if value.get_ref().as_str().is_some_and(|text| text.trim().is_empty()) {
        found.push(Diagnostic::new(value.span(), format!("`{key}` is empty"), "nothing to show"));
    }
}

fn services(table: &DeTable<'_>, found: &mut Vec<Diagnostic>) {
    let Some(services) = table.get("services").and_then(|services| services.get_ref().as_array()) else {
        return;
    };
    for service in services {
        filled("services", service, found);
    }
}

/// The kind of an action is a word for programs.
fn word(action: &Spanned<DeValue<'_>>, found: &mut Vec<Diagnostic>) {
    let Some(text) = action.get_ref().as_str() else { return };
    let is = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) || !text.chars().all(is) {
        let message = format!("the action {:?} is not in snake_case", shortened(text));
        let help = "write it with lower-case letters, digits and _, as in \"rolled_back\"";
        found.push(Diagnostic::new(action.span(), message, "here").help(help));
    }
}

/// The names in `[expect]`, with their places.
pub(super) fn expected(table: &DeTable<'_>) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    let expect = table.get("expect").and_then(|expect| expect.get_ref().as_table());
    for (_, value) in expect.into_iter().flat_map(|expect| expect.iter()) {
        let items = value.get_ref().as_array().into_iter().flat_map(|items| items.iter());
        for value in items.chain([value]) {
            if let Some(text) = value.get_ref().as_str() {
                found.push((text.to_owned(), value.span()));
            }
        }
    }
    found
}

/// Mistakes in `[expect]` at the names that they are about.
pub(super) fn at_names(mut found: Vec<Diagnostic>, names: &[(String, Range<usize>)]) -> Vec<Diagnostic> {
    for mistake in found.iter_mut().filter(|mistake| mistake.message.contains(" in [expect]: ")) {
        let is_it = |name: &str| mistake.message.ends_with(&format!("{:?}", shortened(name)));
        if let Some((_, place)) = names.iter().find(|(name, _)| is_it(name)) {
            mistake.span = place.clone();
        }
    }
    found
}

fn look(
    key: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    most: usize,
    found: &mut Vec<Diagnostic>,
) {
    if found.len() >= most {
        return;
    }
    if !is_one_line(key.get_ref()) {
        let message = format!("the name {:?} has more than one line", shortened(key.get_ref()));
        found.push(Diagnostic::new(key.span(), message, "one line"));
    }
    match value.get_ref() {
        DeValue::String(text) if key.get_ref() != FREE && !is_one_line(text) => {
            let message = format!("`{}` has more than one line", shortened(key.get_ref()));
            let help = "write it in one line; only the `text` of evidence may have several";
            found.push(Diagnostic::new(value.span(), message, "one line").help(help));
        }
        DeValue::Table(table) => table.iter().for_each(|(key, value)| look(key, value, most, found)),
        DeValue::Array(items) => items.iter().for_each(|item| look(key, item, most, found)),
        _ => {}
    }
}
