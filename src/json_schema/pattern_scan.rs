//! Reading a regular expression of ECMA-262 once from its beginning to its end, and writing it as the crate `regex` takes it.

use std::ops::Range;

use super::group_names::{GroupNames, Naming};

/// Escapes of other dialects than ECMA-262, which the validator does not have either.
const FOREIGN: &str = "ZGKRXhH";

/// A regular expression of ECMA-262, and what became of it.
pub(super) struct Scan {
    chars: Vec<char>,
    at: usize,
    /// The expression as the validator takes it.
    pub(super) out: String,
    /// The first thing that the validator lacks.
    pub(super) lacks: Option<String>,
    /// Whether it has something that ECMA-262 does not have.
    pub(super) is_foreign: bool,
    /// Whether a part of it ignores case.
    pub(super) ignores_case: bool,
    /// Whether two groups that can match together have the same name.
    pub(super) clashes: bool,
    names: GroupNames,
    /// Where `out` has a `\p{…}`.
    properties: Vec<Range<usize>>,
    /// Where the last `>` and the last `}` are. Without them, each thing that lacks its end would be searched to the end of the text.
    last_angle: Option<usize>,
    last_brace: Option<usize>,
}

impl Scan {
    pub(super) fn of(pattern: &str) -> Self {
        let chars: Vec<char> = pattern.chars().collect();
        let last = |wanted: char| chars.iter().rposition(|c| *c == wanted);
        let mut scan = Self {
            last_angle: last('>'),
            last_brace: last('}'),
            chars,
            at: 0,
            out: String::new(),
            lacks: None,
            is_foreign: false,
            ignores_case: false,
            clashes: false,
            names: GroupNames::default(),
            properties: Vec::new(),
        };
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
                '(' if !in_class => self.group(),
                ')' if !in_class => {
                    self.names.close();
                    self.take(")", 1);
                }
                '|' if !in_class => {
                    self.names.or();
                    self.take("|", 1);
                }
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

    fn group(&mut self) {
        if self.peek(1) != Some('?') {
            self.names.open();
            return self.take("(", 1);
        }
        let (what, length) = match (self.peek(2), self.peek(3)) {
            (Some('=' | '!'), _) => ("look-ahead", 3),
            (Some('<'), Some('=' | '!')) => ("look-behind", 4),
            (Some('>'), _) => ("an atomic group", 3),
            (Some('<'), _) => return self.named_group(),
            _ => {
                match self.modifiers() {
                    Some(ignore_case) => self.ignores_case |= ignore_case,
                    None => self.is_foreign = true,
                }
                self.names.open();
                return self.take("(", 1);
            }
        };
        self.names.open();
        self.is_foreign |= self.peek(2) == Some('>');
        self.lack(what);
        self.take("(?:", length);
    }

    /// A group that begins with `(?<`. The validator takes a name only once, and needs none.
    fn named_group(&mut self) {
        let begin = self.at + 3;
        let is_part = |c: &&char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let name: String = self.chars[begin..].iter().take_while(is_part).collect();
        let end = begin + name.chars().count();
        let is_name = name.starts_with(|c: char| !c.is_numeric()) && self.chars.get(end) == Some(&'>');
        if is_name {
            let is_strange = name.contains('$');
            let naming = self.names.name(name);
            self.clashes |= naming == Naming::Clash;
            let length = if is_strange || naming == Naming::Again { end + 1 - self.at } else { 1 };
            self.take("(", length);
        } else {
            self.is_foreign = true;
            self.take("(", 1);
        }
        self.names.open();
    }

    /// If a group has a colon behind its `(?`, and between them at most modifiers of ECMA-262, as in `(?i-s:`: whether `i` is
    /// among them.
    fn modifiers(&self) -> Option<bool> {
        let rest = &self.chars[self.at + 2..];
        let count = rest.iter().take_while(|c| matches!(c, 'i' | 'm' | 's' | '-')).count();
        (rest.get(count) == Some(&':')).then(|| rest[..count].contains(&'i'))
    }

    /// Whether a brace begins `{2}`, `{2,}` or `{2,3}`. Every other one is a character.
    fn is_quantifier(&self) -> bool {
        let digits_end =
            |from: usize| from + self.chars[from..].iter().take_while(|c| c.is_ascii_digit()).count();
        let has = |at: usize, c: char| self.chars.get(at) == Some(&c);
        let least = digits_end(self.at + 1);
        let end = if has(least, ',') { digits_end(least + 1) } else { least };
        least > self.at + 1 && has(end, '}')
    }

    /// How many characters there are up to and with this end. `last` is the last such end in the text.
    fn length_to(&self, end: char, last: Option<usize>) -> Option<usize> {
        last.filter(|last| *last >= self.at)?;
        self.chars[self.at..].iter().position(|c| *c == end).map(|place| place + 1)
    }

    /// The expression with a plain class in place of each `\p{…}`; `None` if there is none.
    pub(super) fn without_properties(&self) -> Option<String> {
        let (mut out, mut from) = (String::new(), 0);
        for property in &self.properties {
            out.push_str(&self.out[from..property.start]);
            out.push_str("\\d");
            from = property.end;
        }
        (from > 0).then(|| out + &self.out[from..])
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
                let Some(length) = self.length_to('>', self.last_angle) else { return self.take("\\k", 2) };
                self.lack("a back reference");
                self.take("(?:)", length);
            }
            'b' if in_class => self.take("\\x08", 2),
            'u' if self.peek(2) != Some('{') => self.unicode(),
            'p' | 'P' | 'u' if self.peek(2) == Some('{') => {
                let closed = self.length_to('}', self.last_brace);
                let length = closed.unwrap_or(2);
                let whole: String = self.chars[self.at..self.at + length].iter().collect();
                let begin = self.out.len();
                self.take(&whole, length);
                if closed.is_some() && c != 'u' {
                    self.properties.push(begin..self.out.len());
                }
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
