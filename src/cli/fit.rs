//! Texts that fit the terminal: measured in columns, so that wide characters count as two, and cut with an ellipsis.

use std::borrow::Cow;

use console::{measure_text_width, truncate_str};

use super::emoji::apart;
use crate::breaking;
use crate::visible::{uncommanded, unforged};

/// A text as it is printed: with each emoji as one character, and with no command to a CI system.
fn printed(text: &str) -> Cow<'_, str> {
    match apart(text) {
        Cow::Borrowed(text) => uncommanded(text),
        Cow::Owned(text) => Cow::Owned(uncommanded(&text).into_owned()),
    }
}

/// The columns of a text, as it is printed.
pub(super) fn width(text: &str) -> usize {
    measure_text_width(&printed(text))
}

/// The columns of the terminal that stdout is.
pub(super) fn of_stdout() -> usize {
    console::Term::stdout().size().1.into()
}

/// The columns of the terminal that stderr is.
pub(super) fn of_stderr() -> usize {
    console::Term::stderr().size().1.into()
}

/// The rows of the terminal that stderr is.
pub(super) fn rows_of_stderr() -> usize {
    console::Term::stderr().size().0.into()
}

/// A text of at most that many columns; "…" stands for what is cut.
pub(super) fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    Cow::Owned(truncate_str(&printed(text), columns, "…").into_owned())
}

/// A text of exactly that many columns.
pub(super) fn column(text: &str, columns: usize) -> String {
    at_least(&cut(text, columns), columns).into_owned()
}

/// A text of at least that many columns.
pub(super) fn at_least(text: &str, columns: usize) -> Cow<'_, str> {
    match columns.saturating_sub(width(text)) {
        0 => Cow::Borrowed(text),
        missing => Cow::Owned(text.to_owned() + &" ".repeat(missing)),
    }
}

/// An incident's id of at most that many columns. Its end tells it from the others of its scenario, so the middle is cut:
/// `databas…-x7k2p`.
pub(super) fn short_id(id: &str, columns: usize) -> Cow<'_, str> {
    if width(id) <= columns {
        return Cow::Borrowed(id);
    }
    let end: String = id.rsplit_once('-').map(|(_, end)| format!("-{end}")).unwrap_or_default();
    match columns.checked_sub(width(&end)) {
        Some(left) if left >= 2 => Cow::Owned(format!("{}{end}", cut_hard(id, left))),
        _ => cut(id, columns),
    }
}

/// As [`cut`], but always with the ellipsis.
fn cut_hard(text: &str, columns: usize) -> String {
    truncate_str(&printed(text), columns.saturating_sub(1), "").into_owned() + "…"
}

/// A text in lines of at most that many columns, all but the first indented.
pub(super) fn wrapped(text: &str, columns: usize, indent: usize) -> Vec<String> {
    let later = " ".repeat(indent);
    // A flag such as `--real-time` stays whole.
    let options = textwrap::Options::new(columns.max(indent + 10))
        .subsequent_indent(&later)
        .word_separator(breaking::words())
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    // What goes into a pipe has no width, and stays.
    let text = if columns == usize::MAX { uncommanded(text) } else { printed(text) };
    let wrap = |text: &str| -> Vec<String> {
        textwrap::wrap(text, &options).into_iter().map(Cow::into_owned).collect()
    };
    let lines = wrap(&text);
    if lines.iter().all(|line| unforged(line) == line.as_str()) {
        return lines;
    }
    // A word that would be a command at the beginning of a line is written longer, also where it does not stand there.
    let words = text.split_inclusive(' ').map(unforged);
    wrap(&words.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_keeps_its_end() {
        assert_eq!(short_id("database-outage-x7k2p", 14), "databas…-x7k2p");
        assert_eq!(short_id("database-outage-x7k2p", 21), "database-outage-x7k2p");
        assert_eq!(short_id("データベース-x7k2p", 12), "デー…-x7k2p");
        assert_eq!(short_id("without", 4), "wit…");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width(&column("検知", 6)), 6);
        assert_eq!(column("検知する", 6), "検知… ");
        assert_eq!(column("communication", 9), "communic…");
    }

    /// A CI system would obey them, so they are printed longer than they are.
    #[test]
    fn commands_are_as_wide_as_they_are_printed() {
        let text = "a ##[error]b ::error::c ##vso[task]d ::x".repeat(5);
        for columns in [20, 33, 60, 80] {
            for line in wrapped(&text, columns, 2) {
                assert!(width(&line) <= columns, "{columns}: {line}");
                assert_eq!(unforged(&line), line, "{columns}");
            }
        }
        assert_eq!(width(&cut("##[error]x and more", 12)), 12);
        assert_eq!(width(&unforged(&column("##[a", 12))), 12);
    }

    /// They are printed as one character each, and counted as they are printed.
    #[test]
    fn sequences_of_emoji_count_as_their_characters() {
        for (text, columns) in [
            ("❤\u{fe0f}", 1),
            ("⚠\u{fe0f}⚠\u{fe0f}", 2),
            ("👨\u{200d}👩\u{200d}👧", 6),
            ("1\u{fe0f}\u{20e3}", 1),
            ("👍🏽", 2),
        ] {
            assert_eq!(width(text), columns, "{text}");
            assert_eq!(width(&column(text, 9)), 9, "{text}");
            let lines = wrapped(&[text; 30].join(" "), 20, 0);
            assert_eq!(lines.len(), 30_usize.div_ceil(21 / (columns + 1)), "{text}: {lines:?}");
        }
        assert_eq!(column("⚠\u{fe0f}⚠\u{fe0f}⚠\u{fe0f}⚠\u{fe0f}", 3), "⚠⚠…");
    }
}
