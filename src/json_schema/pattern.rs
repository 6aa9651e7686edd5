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
    /// It is none.
    Wrong,
}

/// The name under which the validator is given the format of regular expressions: its own one refuses what it does not have.
pub(super) const FORMAT: &str = "incident-regex";

/// What is put before an expression that is none: the validator would take some, and takes nothing that begins so.
pub(super) const WRONG: &str = "*wrong*";

/// Why an expression is not checked for which nothing is left.
pub(super) const TOGETHER: &str = "the patterns of the contract take too much memory together";

/// The most bytes that an expression may take when it is compiled, and the fewest that are counted for one.
const MOST: usize = 10 << 20;
const LEAST: usize = 4 << 10;

/// Whether a text is a regular expression of ECMA-262, which is what JSON Schema means by the format. It is only read, not compiled:
/// it may be a stranger's.
pub(super) fn is_regex(text: &str) -> bool {
    let scan = Scan::of(text);
    !scan.is_wrong && !scan.is_foreign
}

/// Reads a regular expression for which there are so many bytes. Returns also how many it takes at the most when it is compiled.
pub(super) fn read(pattern: &str, left: usize) -> (Reading, usize) {
    let scan = Scan::of(pattern);
    if scan.is_wrong {
        return (Reading::Wrong, 0);
    }
    let lacks = |why: &str| (Reading::Unsupported(why.to_owned()), 0);
    if let Some(why) = scan.lacks {
        return lacks(&why);
    }
    let unknown = || lacks("a Unicode property in it is not known");
    if !scan.properties.iter().all(|property| is_property(property)) {
        return unknown();
    }
    // The engine does not say how large it is, only whether it is larger than a limit.
    let mut size = LEAST;
    loop {
        if size > left {
            return lacks(TOGETHER);
        }
        match RegexBuilder::new(&scan.out).size_limit(size).build() {
            Ok(_) => return (Reading::Known(scan.out), size),
            Err(regex::Error::CompiledTooBig(_)) if size == MOST => return lacks("it takes too much memory"),
            Err(regex::Error::CompiledTooBig(_)) => size = MOST.min(2 * size),
            Err(_) if !scan.properties.is_empty() => return unknown(),
            // It is well formed.
            Err(_) => return lacks("it is nested too deep"),
        }
    }
}

/// Whether a property can be one of ECMA-262. To the engine, case and the kind of a property matter less.
fn is_property(text: &str) -> bool {
    let (kind, name) = text.split_once('=').unwrap_or(("", text));
    let has_kind = match kind {
        // A script has to be named as one.
        "" => !text.contains('=') && Regex::new(&format!("\\p{{sc={text}}}")).is_err(),
        "gc" | "General_Category" | "sc" | "Script" | "scx" | "Script_Extensions" => true,
        _ => false,
    };
    let is_name = name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
        && (name.starts_with(|c: char| c.is_ascii_uppercase())
            || matches!(name, "cntrl" | "digit" | "punct"));
    is_name && has_kind
}

#[cfg(test)]
mod tests {
    use super::{MOST, Reading, is_regex};

    fn read(pattern: &str) -> Reading {
        super::read(pattern, MOST).0
    }

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
            ("^.$", "\u{85}", "\u{2028}"),
            ("^.$", "a", "\r"),
            ("^(?s:.)$", "\r", ""),
            ("^(?s:(?-s:.))$", "a", "\r"),
            (r"^\s$", "\u{2028}", "\u{180e}"),
            (r"^[\s]$", "\u{1680}", "\u{85}"),
            (r"^\S$", "é", "\u{3000}"),
            (r"^[^\S]$", "\u{202f}", "a"),
            (r"^\d$", "1", "٣"),
            (r"^\w$", "_", "é"),
            (r"\bf", "éf", "af"),
            (r"\Bé", "é", "aé"),
            (r"^[\w-]$", "-", "+"),
            (r"^[!-~]$", "a", "é"),
            (r"^[+--]$", ",", "."),
            (r"^[^\d\n]$", "a", "\n"),
            (r"^(?i:[^\W])$", "K", "-"),
            (r"^(?<\u0061>b)$", "b", "a"),
            (r"^\p{gc=Lu}\p{Script=Greek}$", "AΩ", "aω"),
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
            (r"[\uD800-\uDFFF]", "half of a surrogate pair is not supported"),
            (r"\p{Greek}", "a Unicode property in it is not known"),
            (r"\p{lu}", "a Unicode property in it is not known"),
            ("a{99999999999}", "a repetition of so many times is not supported"),
            (r"\Aa", r"the escape `\A` is not supported"),
            (r"\pL", r"`\p` without braces is not supported"),
            ("(?P<n>a)", "`(?P` is not supported"),
            ("(?i)a", "`(?i` is not supported"),
            ("(?m:^a)", "`^` or `$` at each line is not supported"),
            (r"(?i:\b)", "the border of a word in a group that ignores case is not supported"),
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
        let nested = format!("{}{}", "(a".repeat(1_000), ")".repeat(1_000));
        for text in ["(?i-s:a)", "(?:a)", "a{2,3}{,2}", r"\P{L}{2,}", "b{99999999999}", "(?=a)*", &nested] {
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
        for (part, is_one) in [
            ("{", true),
            ("a{1", true),
            (r"\p{", false),
            (r"\P{", false),
            (r"\k<", false),
            ("(?<", false),
            (r"\u{", false),
        ] {
            assert_eq!(is_regex(&part.repeat(500_000)), is_one, "{part}");
            assert!(is_one || !is_regex(&(part.repeat(500_000) + ">}")), "{part}");
        }
        for text in [format!("(?i:{})|*", r"[\d\D]".repeat(1_500)), format!("(?s-m:{})|*", "i".repeat(1_500))]
        {
            assert!(!is_regex(&text) && is_regex(text.trim_end_matches('*')));
        }
    }

    #[test]
    fn what_is_wrong_everywhere_stays_wrong() {
        for pattern in [
            "(?=a",
            "[a",
            "a)",
            "*a",
            r"\",
            "(?!a)(",
            "[z-a]",
            "a**",
            "^*",
            r"\B*",
            "$?",
            "(?<=a)*",
            "(?<!a){2}",
            "x{2}{3}",
            "a*+",
            "{2}",
            "(|*)",
            "a{2,1}",
            "[+-\\d]",
            r"\x4",
            r"\u{110000}",
            r"\c",
            r"[\B]",
            "(?<a>b)\\k<c>",
            "(?ii:a)",
            "(?i-i:a)",
            "(?-:a)",
            "(?",
            "(?<n.m>a)",
            "(?<1>a)",
        ] {
            assert_eq!(read(pattern), Reading::Wrong, "{pattern}");
        }
    }
}
