//! The one gate for text from elsewhere: what a terminal, a log viewer or a reader would obey or not see is made visible.
//!
//! Text that came over a socket or out of a file can have characters that move the cursor, end the line, turn the reading
//! direction or show nothing at all. Each is written as `\u{1b}` (`\n`, `\r` and `\t` for those three), so that a text takes
//! one line, shows all of its characters, and has the width that is measured. JSON gets `\u001b` instead, which is the same
//! value. What has been through the gate goes through it a second time unchanged.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::Range;

use console::measure_text_width;

/// Characters that steer or show nothing, in order: controls (C0, DEL, C1), separators of lines and paragraphs, controls of
/// the reading direction, invisible letters, fillers and operators, selectors of variants, annotations, controls of layout,
/// tags. Noncharacters are not listed.
const HIDDEN: [(u32, u32); 23] = [
    (0x00, 0x1f),
    (0x7f, 0x9f),
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xfdd0, 0xfdef),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
    (0x1_3430, 0x1_343f),
    (0x1_bca0, 0x1_bca3),
    (0x1_d159, 0x1_d159),
    (0x1_d173, 0x1_d17a),
    (0xe_0000, 0xe_0fff),
];

/// ASCII without controls: nothing to look up.
fn is_plain_ascii(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Whether a character would steer the reader's terminal or show nothing, wherever it stands.
pub fn is_hidden(c: char) -> bool {
    let c = u32::from(c);
    let is_none = c & 0xfffe == 0xfffe;
    is_none || HIDDEN.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// The joiners of emoji and of several scripts. They show nothing themselves.
fn joins(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Selectors of variants, as in emoji. They show nothing themselves, and can carry a text that nobody sees.
fn selects(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{180b}'..='\u{180d}' | '\u{180f}')
}

/// The frame around a key, as in `1️⃣`.
const KEYCAP: char = '\u{20e3}';

/// Whether a character has to be escaped between these two. A joiner stays where it joins: between two characters of scripts
/// that have joiners, which ASCII is not. A selector stays behind a character that has variants.
fn is_escaped(before: Option<char>, c: char, after: Option<char>) -> bool {
    let shows = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !is_hidden(c));
    // A selector before it was behind a letter, else it is escaped; one behind it would be behind none.
    let joined = |c: Option<char>| shows(c) || c.is_some_and(selects);
    let is_key = after == Some(KEYCAP) && before.is_some_and(|c| matches!(c, '0'..='9' | '#' | '*'));
    is_hidden(c)
        && !(joins(c) && joined(before) && shows(after))
        && !(selects(c) && (shows(before) || is_key))
}

/// Marks that are put above or below the letter before them: what takes no column and is not hidden.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && !is_hidden(c) && measure_text_width(c.encode_utf8(&mut [0; 4])) == 0
}

/// The most marks on one letter. With more they would cover the lines above and below.
const MARKS: usize = 6;

/// Each character with its place in bytes, and whether it has to be escaped.
fn judged(text: &str) -> impl Iterator<Item = (usize, char, bool)> {
    // What is escaped is ASCII afterwards.
    const ESCAPED: char = '}';
    let mut before = None;
    let mut marks = 0;
    let mut characters = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (place, c) = characters.next()?;
        let after = characters.peek().map(|(_, after)| *after);
        let after = after.filter(|after| marks < MARKS || !is_mark(*after)).or(after.map(|_| ESCAPED));
        let steers = is_escaped(before, c, after);
        // What is hidden, as a joiner or a selector, begins no new letter.
        marks = match c {
            c if is_mark(c) => marks + 1,
            c if is_hidden(c) => marks,
            _ => 0,
        };
        let is_escaped = steers || marks > MARKS;
        before = Some(if is_escaped { ESCAPED } else { c });
        Some((place, c, is_escaped))
    })
}

fn escape(written: &mut String, c: char) {
    match c {
        '\n' => written.push_str("\\n"),
        '\r' => written.push_str("\\r"),
        '\t' => written.push_str("\\t"),
        // Writing to a String cannot fail.
        c => drop(write!(written, "{}", c.escape_unicode())),
    }
}

fn has_hidden(text: &str) -> bool {
    !text.bytes().all(is_plain_ascii) && judged(text).any(|(_, _, escaped)| escaped)
}

/// A value as one piece of a line: everything hidden is escaped, line breaks and tabs too.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !has_hidden(text) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 16);
    for (_, c, escaped) in judged(text) {
        if escaped { escape(&mut written, c) } else { written.push(c) }
    }
    Cow::Owned(written)
}

/// A document of several lines, such as a file: its line breaks and tabs stay, everything else hidden is escaped.
pub fn document(text: &str) -> Cow<'_, str> {
    source(text, 0..0).0
}

/// As [`document`], with a range of its bytes where it is afterwards.
pub fn source(text: &str, span: Range<usize>) -> (Cow<'_, str>, Range<usize>) {
    let stays = |c| matches!(c, '\n' | '\t');
    if text.bytes().all(|byte| is_plain_ascii(byte) || stays(char::from(byte))) {
        return (Cow::Borrowed(text), span);
    }
    let mut written = String::with_capacity(text.len() + 16);
    let (mut start, mut end) = (None, None);
    for (place, c, escaped) in judged(text) {
        if place >= span.start {
            start.get_or_insert(written.len());
        }
        if place >= span.end {
            end.get_or_insert(written.len());
        }
        let ends_line = c == '\r' && text[place + 1..].starts_with('\n');
        match c {
            _ if ends_line => {}
            c if escaped && !stays(c) => escape(&mut written, c),
            c => written.push(c),
        }
    }
    let span = start.unwrap_or(written.len())..end.unwrap_or(written.len());
    (Cow::Owned(written), span)
}

/// JSON text as one line with the same value: what is hidden in a string is escaped as JSON does it, line breaks between
/// tokens become spaces, and no CI system finds a command in it.
pub fn json(text: &str) -> Cow<'_, str> {
    let shown = shown_in_json(text);
    if COMMANDS.iter().all(|command| !shown.contains(command)) {
        return shown;
    }
    let escaped = |text: String, command: &&str| text.replace(command, &format!("\\u0023{}", &command[1..]));
    Cow::Owned(COMMANDS.iter().fold(shown.into_owned(), escaped))
}

fn shown_in_json(text: &str) -> Cow<'_, str> {
    if !has_hidden(text) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 16);
    for (_, c, escaped) in judged(text) {
        match c {
            // Raw ones are no part of a string in JSON.
            '\n' | '\r' | '\t' => written.push(' '),
            c if escaped => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(written, "\\u{unit:04x}");
                }
            }
            c => written.push(c),
        }
    }
    Cow::Owned(written)
}

/// The beginnings of commands to CI systems that count anywhere in a line.
const COMMANDS: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// A whole line that no CI system takes as a command: GitHub, Azure and others look for `::error::` and `##[error]` in
/// what a job prints. Styles at the beginning do not count.
pub fn unforged(line: &str) -> Cow<'_, str> {
    let mut line = uncommanded(line);
    let begins = after_styles(&line);
    if line[begins..].starts_with("::") {
        let (before, rest) = line.split_at(begins);
        line = Cow::Owned(format!("{before}\\u{{3a}}{}", &rest[1..]));
    }
    line
}

/// A text in which no CI system finds a command, unless the text begins a line. What is laid out in columns goes through this first,
/// so that its width is that with which it is printed.
pub fn uncommanded(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for command in COMMANDS {
        if text.contains(command) {
            text = Cow::Owned(text.replace(command, &format!("\\u{{23}}{}", &command[1..])));
        }
    }
    text
}

/// Where the text of a line begins, behind white space and styles.
fn after_styles(line: &str) -> usize {
    let mut rest = line.trim_start();
    while let Some((codes, after)) = rest.strip_prefix("\u{1b}[").and_then(|style| style.split_once('m')) {
        if !codes.bytes().all(|byte| byte.is_ascii_digit() || byte == b';') {
            break;
        }
        rest = after.trim_start();
    }
    line.len() - rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_or_hides_is_shown() {
        let hostile = "a\u{1b}]0;t\u{7}\r\n\t\u{9b}2J\u{202e}\u{2066}\u{61c}\u{200f}\u{200b}\u{feff}\u{2028}\u{e0041}\u{ad}b";
        let shown = visible(hostile);
        assert_eq!(
            shown,
            "a\\u{1b}]0;t\\u{7}\\r\\n\\t\\u{9b}2J\\u{202e}\\u{2066}\\u{61c}\\u{200f}\\u{200b}\\u{feff}\\u{2028}\\u{e0041}\\u{ad}b"
        );
        assert_eq!(visible(&shown), shown, "twice is once");
        assert_eq!(document("a\r\nb\tc\rd\u{1b}\n"), "a\nb\tc\\rd\\u{1b}\n");
    }

    #[test]
    fn what_people_write_stays() {
        for text in [
            "naïve",
            "שלום عربي",
            "検知 — “x”",
            "👨\u{200d}👩\u{200d}👧 🔥",
            "می\u{200c}خواهم",
            "❤\u{fe0f}",
            "a\u{a0}b",
            "🏳\u{fe0f}\u{200d}🌈 ❤\u{fe0f}\u{200d}🔥 1\u{fe0f}\u{20e3} #\u{fe0f}\u{20e3}",
            "ᠠ\u{180b} 葛\u{fe00}",
            "ế ᾧ e\u{301}\u{302}\u{303}\u{323}",
        ] {
            assert_eq!(visible(text), text);
            assert_eq!(document(text), text);
            assert_eq!(json(text), text);
        }
        assert_eq!(visible("pay\u{200d}pal"), "pay\\u{200d}pal", "a joiner that joins nothing");
        assert_eq!(visible("pay\u{fe0f}1\u{fe0f}"), "pay\\u{fe0f}1\\u{fe0f}", "variants of nothing");
        assert_eq!(visible("🔥\u{fe0f}\u{fe01}\u{fe02}"), "🔥\u{fe0f}\\u{fe01}\\u{fe02}", "a hidden text");
        let stacked = visible("a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{20dd}b").into_owned();
        assert_eq!(stacked, "a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\\u{301}\\u{20dd}b");
        for mark in ["\u{e49}", "\u{5b1}", "\u{651}"] {
            let stacked = visible(&format!("a{}", mark.repeat(60))).into_owned();
            assert_eq!(stacked.matches(mark).count(), MARKS, "{stacked}");
        }
        let mixed =
            visible(&format!("a{}", format!("{}\u{fe0f}", "\u{301}".repeat(6)).repeat(40))).into_owned();
        assert_eq!(mixed.matches('\u{301}').count(), MARKS, "{mixed}");
        for text in [
            "\u{1f600}\u{200d}\u{fe0f}",
            "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{200d}\u{301}x",
            "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{200d}é",
            "\u{1f600}\u{200d}\u{202e}\u{200d}é",
        ] {
            let once = visible(text).into_owned();
            assert_eq!(visible(&once), once, "twice is once");
        }
        assert_eq!(visible("pay\u{2800}pal"), "pay\\u{2800}pal", "it shows nothing");
    }

    proptest::proptest! {
        #[test]
        fn the_gate_changes_nothing_twice(text in "[aé1#\u{301}\u{e49}\u{20e3}\u{fe0f}\u{180b}\u{200c}\u{200d}\u{202e}😀ᠠ]{0,20}") {
            let once = visible(&text).into_owned();
            proptest::prop_assert_eq!(visible(&once), once.as_str());
        }
    }

    #[test]
    fn json_keeps_its_value() {
        let text = "{\"a\":\r\n\"\u{9b}\u{202e}\u{7f}\u{e0041}é\"\n}";
        let shown = json(text);
        assert_eq!(shown, "{\"a\":  \"\\u009b\\u202e\\u007f\\udb40\\udc41é\" }");
        assert_eq!(json("[\"##[error]\"]"), "[\"\\u0023#[error]\"]");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("it is JSON");
        assert_eq!(value(&shown), value(text));
    }

    #[test]
    fn a_place_moves_with_its_text() {
        let text = "# \u{202e}é\r\nid = \"x\u{1b}y\"\n";
        let of = |part: &str| {
            let start = text.find(part).expect("it is there");
            source(text, start..start + part.len())
        };
        let (shown, span) = of("\"x\u{1b}y\"");
        assert_eq!(&shown[span], "\"x\\u{1b}y\"");
        let (shown, span) = of("id");
        assert_eq!(&shown[span], "id");
        let (shown, span) = source(text, text.len()..text.len());
        assert_eq!(span, shown.len()..shown.len());
        assert_eq!(source("plain\n", 2..4), ("plain\n".into(), 2..4));
    }

    #[test]
    fn no_line_is_a_command() {
        assert_eq!(unforged("  ::error::x"), "  \\u{3a}:error::x");
        assert_eq!(unforged("\u{1b}[1m::error::x"), "\u{1b}[1m\\u{3a}:error::x");
        assert_eq!(unforged("a ##[error]x ##vso[task]"), "a \\u{23}#[error]x \\u{23}#vso[task]");
        assert_eq!(unforged("ws://[::1]:7911 and a::b"), "ws://[::1]:7911 and a::b");
    }
}
