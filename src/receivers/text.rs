//! Texts of senders, made fit for an event: one line, and not too long.

/// One line of at most so many characters; "…" stands for what is cut.
pub(super) fn line(text: &str, most: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most.saturating_sub(1)).collect::<String>() + "…"
}

/// A part of an incident's id: lower-case letters and digits with single hyphens between.
pub(super) fn slug(text: &str, most: usize) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        if slug.len() >= most {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_short_line() {
        assert_eq!(line("  a\n\tb\u{1b}[31m c ", 20), "a b[31m c");
        assert_eq!(line("abcdef", 4), "abc…");
    }

    #[test]
    fn a_slug_has_letters_digits_and_hyphens() {
        assert_eq!(slug("High Latency / p99 (checkout)", 40), "high-latency-p99-checkout");
        assert_eq!(slug("--Ünïcode--", 40), "n-code");
        assert_eq!(slug("a-b-c", 2), "a");
    }
}
