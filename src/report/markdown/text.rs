//! Escapes texts from events for GitHub Flavored Markdown, and writes tables. A text shows exactly as it is: it cannot
//! end a table cell, begin a list or become HTML.

use std::fmt::Write;

use crate::contract::Cost;
use crate::report::words;
use crate::visible::{is_hidden, visible};

/// A text, escaped for use within a line.
pub(super) fn text(raw: &str) -> String {
    let line = one_line(raw);
    let mut written = String::with_capacity(line.len() + 8);
    let mut before = ' ';
    for (place, c) in line.char_indices() {
        let rest = &line[place + c.len_utf8()..];
        let after = rest.chars().next().unwrap_or(' ');
        match c {
            '<' => written.push_str("&lt;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '$' => write_escaped(&mut written, c),
            // Within a word it has no meaning in Markdown, and many names have it.
            '_' if !(before.is_alphanumeric() && after.is_alphanumeric()) => write_escaped(&mut written, c),
            '&' if begins_entity(rest) => written.push_str("&amp;"),
            // At the end of a heading it would disappear.
            '#' if before == ' ' => write_escaped(&mut written, c),
            // At the start of a line these begin a quote, a list or a heading.
            '>' | '-' | '+' | '=' if place == 0 => write_escaped(&mut written, c),
            '.' | ')' if after == ' ' && begins_list(&line[..place]) => write_escaped(&mut written, c),
            c => written.push(c),
        }
        before = c;
    }
    written
}

/// A name as code, if it has only plain characters; otherwise escaped.
pub(super) fn code(raw: &str) -> String {
    // Some letters show nothing.
    let plain = |c: char| (c.is_alphanumeric() && !is_hidden(c)) || "_.:/@%+-".contains(c);
    if !raw.is_empty() && raw.chars().all(plain) { format!("`{raw}`") } else { text(raw) }
}

/// An amount in a currency whose name comes from an event.
pub(super) fn money(cost: &Cost, amount: f64) -> String {
    words::money(&text(&cost.currency), amount)
}

/// A value in a unit whose name comes from an event.
pub(super) fn measure(value: f64, unit: &str) -> String {
    words::measure(value, &text(unit))
}

/// A text from an event in quotation marks.
pub(super) fn quoted(raw: &str) -> String {
    format!("“{}”", text(raw))
}

/// One line: white space in a row is one space, and everything that would steer or hide is shown.
fn one_line(raw: &str) -> String {
    visible(raw).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn write_escaped(written: &mut String, c: char) {
    written.push('\\');
    written.push(c);
}

/// Whether a full stop or bracket after this text would make it an item of a numbered list.
fn begins_list(before: &str) -> bool {
    !before.is_empty() && before.bytes().all(|b| b.is_ascii_digit())
}

/// Whether `&` before this text would begin a character reference.
fn begins_entity(rest: &str) -> bool {
    let name = rest.split(';').next().unwrap_or_default();
    name.len() < rest.len() && !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '#')
}

/// A table. The cells must be Markdown already. All columns but the last are padded, so that the source is readable
/// too; a very long cell does not widen its column.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    const WIDEST: usize = 52;
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells
            .chain(head.get(column).map(|cell| cell.chars().count()))
            .max()
            .unwrap_or_default()
            .clamp(3, WIDEST)
    };
    let last = head.len().saturating_sub(1);
    let widths: Vec<usize> = (0..last).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::from("|");
        for (column, cell) in cells.enumerate() {
            let width = widths.get(column).copied().unwrap_or_default();
            let _ = write!(line, " {cell:<width$} |");
        }
        line + "\n"
    };
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).chain(["---".to_owned()]).collect();
    let mut table = line(&mut head.iter().copied());
    table += &line(&mut rule.iter().map(String::as_str));
    for row in rows {
        table += &line(&mut row.iter().map(String::as_str));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn a_letter_that_shows_nothing_is_shown() {
        assert_eq!(code("payment_errors"), "`payment_errors`");
        for hidden in ['\u{115f}', '\u{3164}', '\u{ffa0}'] {
            assert!(!code(&format!("a{hidden}b")).contains(hidden));
        }
    }
}
