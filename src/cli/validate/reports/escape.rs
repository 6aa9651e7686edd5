//! What comes from outside, as one piece of a line or of JSON: nothing in it ends a line, steers a terminal, turns the
//! reading direction, or is read as a command by a CI system.

use std::fmt::Write;

use crate::cli::format::is_hidden;

/// A text as one piece of a line. What is hidden is written as `\n`, `\u{1b}`, `\u{202e}`.
pub(super) fn line(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => written += "\\n",
            '\r' => written += "\\r",
            '\t' => written += "\\t",
            c if is_hidden(c) => written.extend(c.escape_unicode()),
            c => written.push(c),
        }
    }
    // CI systems look for `##[command]` and `##vso[command]` anywhere in a line.
    while written.contains("##") {
        written = written.replace("##", "# #");
    }
    // GitHub takes a line for a command if it begins with this, after spaces.
    if written.trim_start().starts_with("::") {
        written.insert(0, '\\');
    }
    written
}

/// JSON with the same value in which nothing is hidden. Outside of strings it has none of these characters.
pub(in super::super) fn json(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(written, "\\u{unit:04x}");
            }
        } else {
            written.push(character);
        }
    }
    // Only strings have this character: the value is the same.
    written.replace("##", "#\\u0023")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_is_left_in_a_line() {
        assert_eq!(
            line("a\n::error::b\u{1b}[31m\u{202e}\u{ffff}"),
            "a\\n::error::b\\u{1b}[31m\\u{202e}\\u{ffff}"
        );
        assert_eq!(line(" ::error::x"), "\\ ::error::x");
        assert_eq!(line("x ##[error]y ###vso[z]"), "x # #[error]y # # #vso[z]");
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({ "a\u{202e}": "b\u{9b}\u{2028}##[x]\n" });
        let shown = json(&value.to_string());
        assert!(!shown.chars().any(is_hidden) && !shown.contains("##"), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).ok(), Some(value));
    }
}
