//! The hostile texts, and what an output may not have.

use incident::visible::is_hidden;

/// Every kind of character that a terminal obeys or does not show, and what forges lines in the logs of CI systems. JSON
/// and TOML can write all of it; a file's name and a close reason get [`SHORT`].
pub const HOSTILE: &str = "z\u{1b}]0;pwned\u{7}\u{1b}[2J\u{1b}[38;5;1m\r\n::error::forged\nPASS forged\n##[error]forged\t\
    \u{9b}31m\u{90}q\u{85}\u{7f}\u{8}\u{b}\u{c}\u{202e}\u{202a}\u{2066}\u{2069}\u{61c}\u{200e}\u{200f}\u{200b}\u{2060}\
    \u{feff}\u{2028}\u{2029}\u{ad}\u{180e}\u{3164}\u{e0041}\u{fff9}\u{fe00}\u{180b}\u{13430}| <script>alert(1)</script> ![x](y)";

/// The same in what fits a close frame, and in what a file's name can have.
pub const SHORT: &str =
    "z\u{1b}]0;pwned\u{7}\u{1b}[2J\r\n::error::forged\nPASS forged\u{9b}31m\u{202e}\u{200b}\u{2028}";

/// What is read of the beginning of both.
pub const SHOWN: &str = "z\\u{1b}]0;pwned\\u{7}\\u{1b}[2J";

/// What makes a line that could be taken for the program's own, or for a command.
fn is_forged(line: &str) -> bool {
    // What a renderer of our own wraps is indented further than any result.
    let as_result = line.trim_start().starts_with("PASS forged") && !line.starts_with("   ");
    // The annotations of `--report github` are commands that are meant, in this form only.
    let own = line.strip_prefix("::error ").or_else(|| line.strip_prefix("::warning "));
    let is_own = own
        .and_then(|own| own.split_once("::"))
        .is_some_and(|(about, _)| about.contains("title=incident validate%3A"));
    (line.trim_start().starts_with("::") && !is_own) || as_result || line.contains("##[")
}

/// Asserts that a text in a pipe has nothing but visible characters, line breaks, and tabs between fields.
pub fn assert_clean(text: &str, from: &str) {
    let steers = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t');
    if let Some(found) = text.chars().find(|c| steers(*c)) {
        panic!("U+{:04X} came through in {from}:\n{}", u32::from(found), text.escape_debug());
    }
    for line in text.lines() {
        assert!(!is_forged(line), "a forged line in {from}: {line:?}\n{text}");
    }
}

/// Asserts that bytes for a terminal have no codes but for styles, the cursor's way up and back, and cleared lines.
pub fn assert_tame(bytes: &[u8], from: &str) {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "");
    let mut rest = text.as_str();
    let mut plain = String::new();
    while let Some(start) = rest.find('\u{1b}') {
        plain += &rest[..start];
        let code = &rest[start + 1..];
        let shown = || code.chars().take(12).collect::<String>();
        let parameters = code.strip_prefix('[').unwrap_or_else(|| panic!("ESC {:?} in {from}", shown()));
        let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';')).unwrap_or(0);
        let ends = parameters[end..].chars().next().unwrap_or(' ');
        let own = matches!((ends, &parameters[..end]), ('m' | 'A' | 'B', _) | ('K', "" | "2"));
        assert!(own, "ESC {:?} in {from}", shown());
        // None of our own styles is one of 256 colours.
        assert!(!parameters.starts_with("38;"), "the style of a text came through in {from}");
        rest = &parameters[end + 1..];
    }
    plain += rest;
    assert_clean(&plain, from);
    // The gate shows a style that was put into a text before it.
    for style in
        ["\\u{1b}[0m", "\\u{1b}[31m", "\\u{1b}[1m", "\\u{1b}[2m", "\\u{1b}[36m", "\\u{1b}[32m", "\\u{1b}[33m"]
    {
        assert!(!plain.contains(style), "a style is shown as text in {from}:\n{plain}");
    }
}
