//! The regular expressions of JSON Schema, which are those of ECMA-262, as the crate `regex` reads them.

use regex::{Regex, RegexBuilder};

use super::pattern_scan::Scan;

/// How a regular expression of a schema is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// What means the same to the validator.
    Known(String),
    /// It is well formed, and has something that the validator does not have: why it can't be checked.
    Unsupported(String),
    /// It is well formed in no dialect.
    Wrong,
}

/// The name under which the validator is given the format of regular expressions: its own one refuses what it does not have.
pub(super) const FORMAT: &str = "incident-regex";

/// The most bytes that an expression of a schema may take when it is compiled.
const MOST_OF_SCHEMA: usize = 10 << 20;

/// The same for a value, which is compiled only to see whether it can be, and may be a stranger's.
const MOST_OF_VALUE: usize = 100_000;

/// A longer value, in bytes, is not compiled: the engine takes 6 KB for each `\w` before it looks at its limit.
const LONGEST_VALUE: usize = 10_000;

/// The same if a part of it ignores case: the engine looks at each character of a class then, of a million in `\D`.
const LONGEST_FOLDED: usize = 200;

/// Whether a text is a regular expression of ECMA-262, which is what JSON Schema means by the format. One that would take too much
/// time or memory is taken for one, as far as it is read.
pub(super) fn is_regex(text: &str) -> bool {
    let scan = Scan::of(text);
    let is_read = !scan.is_foreign && !scan.clashes;
    let longest = if scan.ignores_case { LONGEST_FOLDED } else { LONGEST_VALUE };
    is_read && (text.len() > longest || judge(&scan, MOST_OF_VALUE) != Reading::Wrong)
}

/// Reads a regular expression. What the validator lacks is replaced by something that it has, so that the rest is judged.
pub(super) fn read(pattern: &str) -> Reading {
    judge(&Scan::of(pattern), MOST_OF_SCHEMA)
}

/// `most` is how many bytes the expression may take when it is compiled.
fn judge(scan: &Scan, most: usize) -> Reading {
    if scan.clashes {
        return Reading::Wrong;
    }
    let compile = |text: &str| RegexBuilder::new(text).size_limit(most).build();
    match (compile(&scan.out), &scan.lacks) {
        (Ok(_), None) => Reading::Known(scan.out.clone()),
        (Err(regex::Error::CompiledTooBig(_)), _) => {
            Reading::Unsupported("it takes too much memory".to_owned())
        }
        (Ok(_), Some(lacks)) => Reading::Unsupported(format!("{lacks} is not supported")),
        (Err(_), _) if scan.without_properties().is_some_and(|rest| is_well_formed(&compile(&rest))) => {
            Reading::Unsupported("a Unicode property in it is not known".to_owned())
        }
        (Err(_), _) => Reading::Wrong,
    }
}

fn is_well_formed(compiled: &Result<Regex, regex::Error>) -> bool {
    matches!(compiled, Ok(_) | Err(regex::Error::CompiledTooBig(_)))
}

#[cfg(test)]
mod tests {
    use super::{Reading, Scan, is_regex, read};

    fn matches(pattern: &str, text: &str) -> bool {
        let Reading::Known(known) = read(pattern) else { panic!("{pattern}: {:?}", read(pattern)) };
        regex::Regex::new(&known).expect("a pattern of this crate").is_match(text)
    }

    #[test]
    fn what_ecma_262_writes_in_another_way_means_the_same() {
        for (pattern, yes, no) in [
            (r"^\/a\-b$", "/a-b", "a-b"),
            (r"^\cA$", "\u{1}", "A"),
            (r"^\0$", "\0", "0"),
            (r"^[\b]$", "\u{8}", "b"),
            (r"^[^]$", "\n", ""),
            (r"^a[]|b$", "b", "a"),
            (r"^[[]$", "[", "]"),
            (r"^[a&&b]+$", "a&b", "c"),
            (r"^{.+}$", "{x}", "x"),
            (r"^a{2}{$", "aa{", "a{"),
            (r"^\<a\>$", "<a>", "a"),
            (r"^\uD83D\uDE00$", "😀", "x"),
            (r"^\u00e4$", "ä", "a"),
            (r"^\p{Lu}+$", "Ä", "ä"),
            (r"^(?<year>\d{4})$", "2026", "x"),
            (r"^(?:(?<n>a)|(?<n>b))$", "b", "n"),
            (r"^(?<$>a)$", "a", "$"),
        ] {
            assert!(matches(pattern, yes), "{pattern} {yes:?}");
            assert!(!matches(pattern, no), "{pattern} {no:?}");
        }
    }

    #[test]
    fn what_the_validator_lacks_is_named() {
        for (pattern, why) in [
            ("(?=a)", "look-ahead is not supported"),
            ("^(?!x-).*", "look-ahead is not supported"),
            ("(?<=a)b", "look-behind is not supported"),
            ("(?<!a)b", "look-behind is not supported"),
            (r"(a)\1", "a back reference is not supported"),
            (r"(?<x>a)\k<x>", "a back reference is not supported"),
            ("(?>a)", "an atomic group is not supported"),
            (r"a\Z", r"the escape `\Z` is not supported"),
            (r"\uD83D", "half of a surrogate pair is not supported"),
            (r"a\p{Nonsense}", "a Unicode property in it is not known"),
            (r"\P{Nonsense}\p{Nonsense}", "a Unicode property in it is not known"),
            ("^(.{0,1000}){0,1000}$", "it takes too much memory"),
        ] {
            assert_eq!(read(pattern), Reading::Unsupported(why.to_owned()), "{pattern}");
        }
    }

    #[test]
    fn the_format_is_that_of_ecma_262() {
        for text in
            ["(?=a)b", "(?<!a)b", r"(?<n>a)\k<n>", r"(a)\1", "^[^]$", "^(.{0,1000}){0,1000}$", "", "a{"]
        {
            assert!(is_regex(text), "{text}");
        }
        for text in ["(?=a", "[z-a]", r"a\Z", r"\a", "(?>a)", "*", "(?P<n>a)", "(?i)a", "(?<n.m>a)"] {
            assert!(!is_regex(text), "{text}");
        }
        for text in ["(?i-s:a)", "(?:a)", "a{2,3}{,2}", r"\P{L}{2,}"] {
            assert!(is_regex(text), "{text}");
        }
    }

    #[test]
    fn groups_have_the_same_name_only_in_different_alternatives() {
        for text in ["(?<n>a)|(?<n>b)", "(?:(?<n>a)|b(?<n>c))d", "(?<n>a)|((?<m>b)|(?<m>c))(?<n>d)"] {
            assert!(is_regex(text), "{text}");
        }
        for text in [
            "(?<n>a)(?<n>b)",
            "(?<n>a(?<n>b))",
            "(?:(?<n>a)|b)(?<n>c)",
            "(?<n>a)(?:b|(?<n>c))",
            "(?:(?<n>a)|(?<n>b))(?=(?<n>c))",
        ] {
            assert!(!is_regex(text), "{text}");
            assert_eq!(read(text), Reading::Wrong, "{text}");
        }
    }

    /// Each of these took as many steps as the square of its length.
    #[test]
    fn a_long_text_is_read_in_one_pass() {
        for (part, out) in [("{", r"\{"), (r"\p{", r"\p\{"), (r"\P{", r"\P\{"), (r"\k<", r"\k<")] {
            let scan = Scan::of(&part.repeat(500_000));
            assert_eq!(scan.out.len(), out.len() * 500_000, "{part}");
            assert!(is_regex(&part.repeat(500_000)), "{part}");
        }
        // The engine would look at a million characters for each class: what is wrong behind them is not found.
        assert!(is_regex(&format!("(?i:{})|*", r"[\d\D]".repeat(1_500))));
        assert!(!is_regex("(?i:a)|*") && !is_regex(&format!("(?s-m:{})|*", "i".repeat(1_500))));
    }

    #[test]
    fn what_is_wrong_everywhere_stays_wrong() {
        for pattern in ["(?=a", "[a", "a)", "*a", r"\", "(?!a)(", "[z-a]"] {
            assert_eq!(read(pattern), Reading::Wrong, "{pattern}");
        }
    }
}
