//! The regular expressions of JSON Schema, which are those of ECMA-262, as the crate `regex` reads them.

use regex::Regex;

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

/// Whether a text is a regular expression of ECMA-262, which is what JSON Schema means by the format.
pub(super) fn is_regex(text: &str) -> bool {
    let scan = Scan::of(text);
    !scan.is_foreign && judge(scan) != Reading::Wrong
}

/// Reads a regular expression. What the validator lacks is replaced by something that it has, so that the rest is judged.
pub(super) fn read(pattern: &str) -> Reading {
    judge(Scan::of(pattern))
}

fn judge(scan: Scan) -> Reading {
    let Scan { out, lacks, .. } = scan;
    let compiled = Regex::new(&out);
    match (compiled, lacks) {
        (Ok(_), None) => Reading::Known(out),
        (Err(regex::Error::CompiledTooBig(_)), _) => {
            Reading::Unsupported("it takes too much memory".to_owned())
        }
        (Ok(_), Some(lacks)) => Reading::Unsupported(format!("{lacks} is not supported")),
        (Err(_), _) if without_properties(&out).is_some_and(|rest| Regex::new(&rest).is_ok()) => {
            Reading::Unsupported("a Unicode property in it is not known".to_owned())
        }
        (Err(_), _) => Reading::Wrong,
    }
}

/// The expression with a plain class in place of each `\p{…}`; `None` if there is none.
fn without_properties(pattern: &str) -> Option<String> {
    let mut rest = pattern;
    let mut out = String::new();
    while let Some(begin) = rest.find("\\p{").or_else(|| rest.find("\\P{")) {
        let end = begin + rest[begin..].find('}')?;
        out.push_str(&rest[..begin]);
        out.push_str("\\d");
        rest = &rest[end + 1..];
    }
    (!out.is_empty()).then(|| out + rest)
}

/// Escapes of other dialects than ECMA-262, which the validator does not have either.
const FOREIGN: &str = "ZGKRXhH";

struct Scan {
    chars: Vec<char>,
    at: usize,
    out: String,
    /// The first thing that the validator lacks.
    lacks: Option<String>,
    /// Whether it has something that ECMA-262 does not have.
    is_foreign: bool,
}

impl Scan {
    fn of(pattern: &str) -> Self {
        let chars = pattern.chars().collect();
        let mut scan = Self { chars, at: 0, out: String::new(), lacks: None, is_foreign: false };
        scan.run();
        scan
    }

    fn run(&mut self) {
        let mut in_class = false;
        while let Some(c) = self.peek(0) {
            let next = self.peek(1);
            match c {
                '\\' => self.escape(in_class),
                ']' if in_class => {
                    in_class = false;
                    self.take("]", 1);
                }
                // In ECMA-262 these are characters like others; to the validator they nest, and join classes.
                '[' if in_class => self.take("\\[", 1),
                '&' | '~' | '-' if in_class && next == Some(c) => {
                    let pair = format!("{c}\\{c}");
                    self.take(&pair, 2);
                }
                '[' if next == Some(']') => self.take("[^\\s\\S]", 2),
                '[' if next == Some('^') && self.peek(2) == Some(']') => self.take("[\\s\\S]", 3),
                '[' => {
                    in_class = true;
                    let (begin, length) = if next == Some('^') { ("[^", 2) } else { ("[", 1) };
                    self.take(begin, length);
                }
                '(' if !in_class && next == Some('?') => self.group(),
                '{' if !in_class && !self.is_quantifier() => self.take("\\{", 1),
                _ => {
                    self.out.push(c);
                    self.at += 1;
                }
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Writes a text for the next characters.
    fn take(&mut self, text: &str, count: usize) {
        self.out.push_str(text);
        self.at += count;
    }

    fn lack(&mut self, what: impl Into<String>) {
        self.lacks.get_or_insert(what.into());
    }

    /// A group that begins with `(?`.
    fn group(&mut self) {
        let (what, length) = match (self.peek(2), self.peek(3)) {
            (Some('=' | '!'), _) => ("look-ahead", 3),
            (Some('<'), Some('=' | '!')) => ("look-behind", 4),
            (Some('>'), _) => ("an atomic group", 3),
            _ => return self.take("(", 1),
        };
        self.is_foreign |= self.peek(2) == Some('>');
        self.lack(what);
        self.take("(?:", length);
    }

    /// Whether a brace begins `{2}`, `{2,}` or `{2,3}`. Every other one is a character.
    fn is_quantifier(&self) -> bool {
        let rest: String = self.chars[self.at + 1..].iter().take_while(|c| **c != '}').collect();
        let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        let is_closed = self.chars.get(self.at + 1 + rest.chars().count()) == Some(&'}');
        let (least, most) = rest.split_once(',').unwrap_or((&rest, ""));
        is_closed && is_number(least) && (most.is_empty() || is_number(most))
    }

    fn escape(&mut self, in_class: bool) {
        let Some(c) = self.peek(1) else { return self.take("\\", 1) };
        match c {
            'c' if self.peek(2).is_some_and(|letter| letter.is_ascii_alphabetic()) => {
                let letter = self.peek(2).map_or(0, |letter| u32::from(letter) % 32);
                self.take(&format!("\\x{letter:02X}"), 3);
            }
            '0' if !self.peek(2).is_some_and(|digit| digit.is_ascii_digit()) => self.take("\\x00", 2),
            '1'..='9' if !in_class => {
                let digits = self.chars[self.at + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
                self.lack("a back reference");
                self.take("(?:)", 1 + digits);
            }
            'k' if self.peek(2) == Some('<') => {
                let name = self.chars[self.at..].iter().position(|c| *c == '>');
                let Some(end) = name else { return self.take("\\k", 2) };
                self.lack("a back reference");
                self.take("(?:)", end + 1);
            }
            'b' if in_class => self.take("\\x08", 2),
            'u' if self.peek(2) != Some('{') => self.unicode(),
            'p' | 'P' | 'u' if self.peek(2) == Some('{') => {
                let length = self.chars[self.at..].iter().position(|c| *c == '}').map_or(2, |end| end + 1);
                let whole: String = self.chars[self.at..self.at + length].iter().collect();
                self.take(&whole, length);
            }
            c if FOREIGN.contains(c) => {
                self.is_foreign = true;
                self.lack(format!("the escape `\\{c}`"));
                self.take("\\d", 2);
            }
            // To the validator, a backslash makes them the borders of words.
            '<' | '>' => self.take(&c.to_string(), 2),
            c if !c.is_ascii() => self.take(&c.to_string(), 2),
            'a' => {
                self.is_foreign = true;
                self.take("\\a", 2);
            }
            c => self.take(&format!("\\{c}"), 2),
        }
    }

    /// `\uD83D\uDE00` is one character in two halves.
    fn unicode(&mut self) {
        let unit = |from: usize| {
            let digits: String = self.chars.get(from..from + 4)?.iter().collect();
            u16::from_str_radix(&digits, 16).ok()
        };
        let first = unit(self.at + 2);
        let is_pair = self.peek(6) == Some('\\') && self.peek(7) == Some('u');
        let second = unit(self.at + 8).filter(|_| is_pair);
        let Some(first) = first else { return self.take("\\u", 2) };
        let units: Vec<u16> = [Some(first), second].into_iter().flatten().collect();
        match (char::decode_utf16([first]).next(), char::decode_utf16(units).next()) {
            (Some(Ok(_)), _) => self.take(&format!("\\u{{{first:X}}}"), 6),
            (_, Some(Ok(c))) => self.take(&format!("\\u{{{:X}}}", u32::from(c)), 12),
            _ => {
                self.lack("half of a surrogate pair");
                self.take("\\d", 6);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Reading, is_regex, read};

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
        for text in ["(?=a", "[z-a]", r"a\Z", r"\a", "(?>a)", "*"] {
            assert!(!is_regex(text), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_everywhere_stays_wrong() {
        for pattern in ["(?=a", "[a", "a)", "*a", r"\", "(?!a)(", "[z-a]"] {
            assert_eq!(read(pattern), Reading::Wrong, "{pattern}");
        }
    }
}
