//! Texts of a file that have more than one line where the events have one.

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
