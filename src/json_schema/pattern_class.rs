//! Classes and escapes in regular expressions of ECMA-262: what one character can be.

use super::pattern_scan::Scan;

/// Escapes of other dialects than ECMA-262, which the validator does not have either.
const FOREIGN: &str = "AEGHKNQRXZaehz";

const DIGITS: &str = "0-9";
const WORD: &str = "0-9A-Za-z_";
/// White space and the ends of lines.
const SPACE: &str = "\\t\\n\\x0B\\x0C\\r\\x20\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}\\x{FEFF}";

/// One part of a class, or an atom.
enum Part {
    /// A character, or half of one in UTF-16.
    Char(u32),
    /// Characters of a kind, as they stand in a class.
    Kind(String),
}

impl Scan {
    /// A class. Each of its parts is written so that nothing in it means more than that part.
    pub(super) fn class(&mut self) {
        self.at += 1;
        let is_negated = self.peek(0) == Some('^');
        self.at += usize::from(is_negated);
        let mut parts = String::new();
        loop {
            match self.peek(0) {
                None => {
                    self.is_wrong = true;
                    break;
                }
                Some(']') => {
                    self.at += 1;
                    break;
                }
                Some(_) => self.class_part(&mut parts),
            }
        }
        let text = match (is_negated, parts.is_empty()) {
            (false, true) => "[^\\x{0}-\\x{10FFFF}]".to_owned(),
            (true, true) => "(?s:.)".to_owned(),
            (false, false) => format!("[{parts}]"),
            (true, false) => format!("[^{parts}]"),
        };
        self.out.push_str(&text);
    }

    /// A character, a kind of characters, or all from one character to another.
    fn class_part(&mut self, parts: &mut String) {
        let first = self.class_atom();
        let is_range = self.peek(0) == Some('-') && self.peek(1).is_some_and(|next| next != ']');
        let last = is_range.then(|| {
            self.at += 1;
            self.class_atom()
        });
        match (first, last) {
            (Part::Kind(kind), None) => parts.push_str(&kind),
            (Part::Char(only), None) => parts.push_str(&self.in_class(only)),
            (Part::Char(first), Some(Part::Char(last))) => {
                self.is_wrong |= first > last;
                let (first, last) = (self.in_class(first), self.in_class(last));
                parts.push_str(&format!("{first}-{last}"));
            }
            _ => self.is_wrong = true,
        }
    }

    fn class_atom(&mut self) -> Part {
        match self.peek(0) {
            Some('\\') if self.peek(1) == Some('b') => {
                self.at += 2;
                Part::Char(8)
            }
            Some('\\') => self.escaped(),
            other => {
                self.at += 1;
                Part::Char(other.map_or(0, u32::from))
            }
        }
    }

    /// A character in a class.
    fn in_class(&mut self, code: u32) -> String {
        match char::from_u32(code) {
            Some(c) if c.is_ascii_alphanumeric() || !(c.is_ascii() || c.is_whitespace()) => c.to_string(),
            Some('_') => "_".to_owned(),
            Some(_) => format!("\\x{{{code:X}}}"),
            None => {
                self.lack("half of a surrogate pair");
                "0".to_owned()
            }
        }
    }

    /// An escape that stands for one character, outside of classes.
    pub(super) fn escaped_atom(&mut self) {
        match self.escaped() {
            Part::Char(code) => {
                let text = self.in_class(code);
                self.out.push_str(&text);
            }
            Part::Kind(kind) => self.out.push_str(&format!("[{kind}]")),
        }
    }

    /// An escape for one character, or for one of a kind.
    fn escaped(&mut self) -> Part {
        let Some(c) = self.peek(1) else {
            self.is_wrong = true;
            self.at += 1;
            return Part::Char(0);
        };
        if matches!(c, 'u' | 'x') {
            let code = if c == 'u' { self.unicode() } else { self.two_digits() };
            if code.is_none() {
                self.is_wrong = true;
                self.at += 2;
            }
            return Part::Char(code.unwrap_or_default());
        }
        if matches!(c, 'p' | 'P') {
            return self.escaped_property(c);
        }
        let next = self.peek(2);
        self.at += 2;
        let code = match c {
            'd' | 'w' | 's' => return Part::Kind(kind(c).to_owned()),
            'D' | 'W' | 'S' => return Part::Kind(format!("[^{}]", kind(c.to_ascii_lowercase()))),
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            '0' if !next.is_some_and(|next| next.is_ascii_digit()) => 0,
            'c' if next.is_some_and(|next| next.is_ascii_alphabetic()) => {
                self.at += 1;
                next.map_or(0, u32::from) % 32
            }
            c if FOREIGN.contains(c) => {
                self.foreign(&format!("the escape `\\{c}`"));
                0
            }
            c => {
                self.is_wrong |= c.is_ascii_alphanumeric();
                u32::from(c)
            }
        };
        Part::Char(code)
    }

    fn escaped_property(&mut self, c: char) -> Part {
        if let Some(name) = self.property() {
            if c == 'P' && self.modifiers.ignores_case {
                self.lack("`\\P` in a group that ignores case");
            }
            self.at += 4 + name.chars().count();
            let text = format!("\\{c}{{{name}}}");
            self.is_wrong |= !name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'='));
            self.properties.push(name);
            return Part::Kind(text);
        }
        // Java and others have `\pL`.
        match self.peek(2) {
            Some(next) if next.is_ascii_alphabetic() => self.foreign(&format!("`\\{c}` without braces")),
            _ => self.is_wrong = true,
        }
        self.at += 2;
        Part::Char(u32::from(c))
    }

    fn hexadecimal(&self, from: usize, to: usize) -> Option<u32> {
        let digits: String = self.chars.get(from..to)?.iter().collect();
        let digits = digits.trim_start_matches('0');
        let is_hex = to > from && digits.bytes().all(|c| c.is_ascii_hexdigit());
        is_hex
            .then(|| if digits.is_empty() { Some(0) } else { u32::from_str_radix(digits, 16).ok() })
            .flatten()
    }

    /// `\x41`.
    fn two_digits(&mut self) -> Option<u32> {
        let code = self.hexadecimal(self.at + 2, self.at + 4)?;
        self.at += 4;
        Some(code)
    }

    /// `\u0041`, `\u{41}`, or `\uD83D\uDE00`, which is one character in two halves.
    pub(super) fn unicode(&mut self) -> Option<u32> {
        if self.peek(1) != Some('u') {
            return None;
        }
        if self.peek(2) == Some('{') {
            let begin = self.at + 3;
            let end = begin + self.chars[begin..].iter().take_while(|c| c.is_ascii_hexdigit()).count();
            let is_closed = self.chars.get(end) == Some(&'}');
            let code = self.hexadecimal(begin, end).filter(|code| is_closed && *code <= 0x0010_FFFF)?;
            self.at = end + 1;
            return Some(code);
        }
        let first = self.hexadecimal(self.at + 2, self.at + 6)?;
        self.at += 6;
        let is_escape = self.peek(0) == Some('\\') && self.peek(1) == Some('u');
        let second = self.hexadecimal(self.at + 2, self.at + 6).filter(|_| is_escape);
        match (first, second) {
            (0xD800..=0xDBFF, Some(second @ 0xDC00..=0xDFFF)) => {
                self.at += 6;
                Some(0x0001_0000 + ((first - 0xD800) << 10) + (second - 0xDC00))
            }
            _ => Some(first),
        }
    }
}

/// What a class has for `\d`, `\w` or `\s`.
fn kind(c: char) -> &'static str {
    match c {
        'd' => DIGITS,
        'w' => WORD,
        _ => SPACE,
    }
}
