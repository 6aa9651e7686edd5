//! Emoji as every terminal draws them: one character each.
//!
//! Terminals do not agree about sequences. Behind `❤` a selector (U+FE0F) makes it two columns wide in some, in most it stays one; three
//! people who are joined to a family take two columns or six. Whichever is counted, columns shift on the others. A single character has
//! the same width on all of them, so on a terminal a sequence is taken apart. In a pipe, in JSON and in files it stays.

use std::borrow::Cow;

/// Chooses between an emoji and a sign.
fn selects(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}')
}

/// Colours the skin of the emoji before it.
fn tones(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

const JOINER: char = '\u{200d}';

/// Signs and pictures, but no letters: scripts have joiners too, and need them.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// The text with each emoji as one character.
pub(super) fn apart(text: &str) -> Cow<'_, str> {
    let may_go = |c: char| selects(c) || tones(c) || c == JOINER;
    if text.is_ascii() || !text.contains(may_go) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len());
    let mut before = None;
    for (place, c) in text.char_indices() {
        let follows_picture = before.is_some_and(is_picture);
        let goes = match c {
            c if selects(c) => true,
            c if tones(c) => follows_picture,
            JOINER => {
                follows_picture && text[place + JOINER.len_utf8()..].chars().next().is_some_and(is_picture)
            }
            _ => false,
        };
        if !goes {
            written.push(c);
            before = Some(c);
        }
    }
    Cow::Owned(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_taken_apart_and_letters_stay() {
        for (text, shown) in [
            ("❤\u{fe0f} ok", "❤ ok"),
            ("⌚\u{fe0e}", "⌚"),
            ("1\u{fe0f}\u{20e3}", "1\u{20e3}"),
            ("👨\u{200d}👩\u{200d}👧", "👨👩👧"),
            ("❤\u{fe0f}\u{200d}🔥", "❤🔥"),
            ("⛹\u{fe0f}\u{200d}♂\u{fe0f}", "⛹♂"),
            ("👍🏽 👩🏽\u{200d}🚀", "👍 👩🚀"),
            // One alone is a picture.
            ("🏽", "🏽"),
            (
                "می\u{200c}خواهم क्\u{200d}ष ᠠ\u{180b} 葛\u{fe00}",
                "می\u{200c}خواهم क्\u{200d}ष ᠠ\u{180b} 葛\u{fe00}",
            ),
            ("🇩🇪 障害 e\u{301}", "🇩🇪 障害 e\u{301}"),
        ] {
            assert_eq!(apart(text), shown);
            assert_eq!(apart(shown), shown, "twice is once");
            // Terminals that count characters and those that know sequences draw the same.
            let each = textwrap::core::display_width(shown);
            assert_eq!(console::measure_text_width(shown), each, "{shown}");
        }
    }
}
