//! Reading a regular expression of ECMA-262 once from its beginning to its end, and writing it as the crate `regex` takes it.
//!
//! It is read as with the flag `u`. What ECMA-262 only has without that flag and everybody writes, as `\-` and `{x}`, is read too.

use super::group_names::GroupNames;

/// A regular expression of ECMA-262, and what became of it.
pub(super) struct Scan {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    /// The expression as the validator takes it.
    pub(super) out: String,
    /// The first thing that the validator lacks, and that it does.
    pub(super) lacks: Option<String>,
    /// Whether it has something that only other dialects than ECMA-262 have.
    pub(super) is_foreign: bool,
    /// Whether it is none.
    pub(super) is_wrong: bool,
    /// Its Unicode properties: what stands in the braces.
    pub(super) properties: Vec<String>,
    names: GroupNames,
    /// The names that back references have.
    referred: Vec<String>,
    /// What stands before: whether it can be repeated.
    before: Before,
    /// The groups around the place, and what holds in them.
    groups: Vec<(Before, Modifiers)>,
    pub(super) modifiers: Modifiers,
    /// Where the last `}` is. Without that, each property that lacks its end would be searched to the end of the text.
    last_brace: Option<usize>,
}

/// What stands before a quantifier.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// What can be repeated.
    Atom,
    /// The beginning, a border, a look-behind or another quantifier.
    Other,
}

/// The modifiers of the innermost group.
#[derive(Clone, Copy, Default)]
pub(super) struct Modifiers {
    pub(super) ignores_case: bool,
    by_line: bool,
    dot_is_all: bool,
}

/// A dot: ECMA-262 has more ends of lines than the validator.
const DOT: &str = "[^\\n\\r\\x{2028}\\x{2029}]";

impl Scan {
    pub(super) fn of(pattern: &str) -> Self {
        let chars: Vec<char> = pattern.chars().collect();
        let mut scan = Self {
            last_brace: chars.iter().rposition(|c| *c == '}'),
            chars,
            at: 0,
            out: String::new(),
            lacks: None,
            is_foreign: false,
            is_wrong: false,
            properties: Vec::new(),
            names: GroupNames::default(),
            referred: Vec::new(),
            before: Before::Other,
            groups: Vec::new(),
            modifiers: Modifiers::default(),
        };
        while let Some(c) = scan.peek(0) {
            scan.term(c);
        }
        let refers_to_nothing = scan.referred.iter().any(|name| !scan.names.has(name));
        scan.is_wrong |= !scan.groups.is_empty() || (scan.names.are_there() && refers_to_nothing);
        scan
    }

    fn term(&mut self, c: char) {
        match c {
            '(' => return self.group(),
            ')' => return self.close(),
            '*' | '+' | '?' => return self.repeat(&c.to_string(), 1),
            '{' => {
                if let Some((text, count)) = self.braces() {
                    return self.repeat(&text, count);
                }
            }
            _ => {}
        }
        self.before = Before::Atom;
        match c {
            '\\' => self.escape(),
            '[' => self.class(),
            '|' => {
                self.names.or();
                self.border("|", 1);
            }
            '^' | '$' => {
                if self.modifiers.by_line {
                    self.lack("`^` or `$` at each line");
                }
                self.border(&c.to_string(), 1);
            }
            '.' => self.take(if self.modifiers.dot_is_all { "(?s:.)" } else { DOT }, 1),
            ']' | '{' | '}' => self.take(&format!("\\{c}"), 1),
            _ => {
                self.out.push(c);
                self.at += 1;
            }
        }
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Writes a text for the next characters.
    pub(super) fn take(&mut self, text: &str, count: usize) {
        self.out.push_str(text);
        self.at += count;
    }

    /// Writes a text that cannot be repeated.
    fn border(&mut self, text: &str, count: usize) {
        self.before = Before::Other;
        self.take(text, count);
    }

    pub(super) fn lack(&mut self, what: &str) {
        self.lacks.get_or_insert_with(|| format!("{what} is not supported"));
    }

    /// What only other dialects have.
    pub(super) fn foreign(&mut self, what: &str) {
        self.is_foreign = true;
        self.lack(what);
    }

    fn repeat(&mut self, text: &str, count: usize) {
        self.is_wrong |= self.before == Before::Other;
        self.border(text, count);
        if self.peek(0) == Some('?') {
            self.take("?", 1);
        }
    }

    /// `{2}`, `{2,}` or `{2,3}`, and its length. Every other brace is a character.
    fn braces(&mut self) -> Option<(String, usize)> {
        let number = |from: usize| {
            let digits = self.chars[from..].iter().take_while(|c| c.is_ascii_digit()).collect::<String>();
            (digits.trim_start_matches('0').to_owned(), from + digits.len())
        };
        let (least, mut end) = number(self.at + 1);
        if end == self.at + 1 {
            return None;
        }
        let mut most = None;
        if self.chars.get(end) == Some(&',') {
            let from = end + 1;
            let (digits, after) = number(from);
            most = Some(if after > from { Some(digits) } else { None });
            end = after;
        }
        if self.chars.get(end) != Some(&'}') {
            return None;
        }
        if let Some(Some(most)) = &most {
            self.is_wrong |= (least.len(), &least) > (most.len(), most);
        }
        let or_zero = |digits: String| if digits.is_empty() { "0".to_owned() } else { digits };
        let (least, most) = (or_zero(least), most.map(|most| most.map(or_zero)));
        let is_large = |digits: &String| digits.parse::<u32>().is_err();
        if is_large(&least) || most.iter().flatten().any(is_large) {
            self.lack("a repetition of so many times");
        }
        let most = most.map(|most| format!(",{}", most.unwrap_or_default())).unwrap_or_default();
        Some((format!("{{{least}{most}}}"), end + 1 - self.at))
    }

    fn open(&mut self, after: Before, modifiers: Modifiers, text: &str, count: usize) {
        self.groups.push((after, self.modifiers));
        self.modifiers = modifiers;
        self.names.open();
        self.border(text, count);
    }

    fn close(&mut self) {
        self.names.close();
        self.take(")", 1);
        match self.groups.pop() {
            Some((before, modifiers)) => (self.before, self.modifiers) = (before, modifiers),
            None => self.is_wrong = true,
        }
    }

    fn group(&mut self) {
        let same = self.modifiers;
        if self.peek(1) != Some('?') {
            return self.open(Before::Atom, same, "(", 1);
        }
        match (self.peek(2), self.peek(3)) {
            (Some(':'), _) => self.open(Before::Atom, same, "(?:", 3),
            (Some('=' | '!'), _) => {
                self.lack("look-ahead");
                self.open(Before::Atom, same, "(?:", 3);
            }
            (Some('<'), Some('=' | '!')) => {
                self.lack("look-behind");
                self.open(Before::Other, same, "(?:", 4);
            }
            (Some('<'), _) => self.named_group(),
            (Some('>'), _) => {
                self.foreign("an atomic group");
                self.open(Before::Atom, same, "(?:", 3);
            }
            (Some(c @ ('P' | '#' | '|' | '(' | '\'' | '&')), _) => {
                self.foreign(&format!("`(?{c}`"));
                self.open(Before::Atom, same, "(?:", 3);
            }
            _ => self.modified_group(),
        }
    }

    /// A group that begins with `(?<`. The validator needs no names.
    fn named_group(&mut self) {
        let begin = self.at + 3;
        let (name, end) = self.name(begin);
        match name {
            Some(name) => self.is_wrong |= self.names.name(name),
            None => self.is_wrong = true,
        }
        self.open(Before::Atom, self.modifiers, "(", end - self.at);
    }

    /// The name of a group, which may have escapes, and what comes behind its `>`. If it is none, it is read no further than to there.
    fn name(&mut self, begin: usize) -> (Option<String>, usize) {
        let at = std::mem::replace(&mut self.at, begin);
        let name = self.name_here();
        (name, std::mem::replace(&mut self.at, at))
    }

    fn name_here(&mut self) -> Option<String> {
        let mut name = String::new();
        loop {
            let c = match self.peek(0)? {
                '>' if !name.is_empty() => break,
                '\\' => char::from_u32(self.unicode()?)?,
                c => {
                    self.at += 1;
                    c
                }
            };
            let is_first = c.is_alphabetic() || matches!(c, '_' | '$');
            let is_later = c.is_alphanumeric() || matches!(c, '\u{200c}' | '\u{200d}');
            if !is_first && (name.is_empty() || !is_later) {
                return None;
            }
            name.push(c);
        }
        self.at += 1;
        Some(name)
    }

    /// A group with modifiers, as in `(?i-s:`.
    fn modified_group(&mut self) {
        let rest = &self.chars[self.at + 2..];
        let text: String = rest.iter().take_while(|c| c.is_ascii_alphabetic() || **c == '-').collect();
        let next = rest.get(text.len()).copied();
        let mut modifiers = self.modifiers;
        let (on, off) = text.split_once('-').unwrap_or((&text, ""));
        let is_twice = |c: char| text.matches(c).count() > 1;
        if text.trim_matches('-').is_empty() || !matches!(next, Some(':' | ')')) {
            self.is_wrong = true;
        } else if next == Some(')') || !text.chars().all(|c| "ims-".contains(c)) {
            self.foreign(&format!("`(?{text}`"));
        } else {
            self.is_wrong |= "ims-".chars().any(is_twice);
            for (names, holds) in [(on, true), (off, false)] {
                for name in names.chars() {
                    match name {
                        'i' => modifiers.ignores_case = holds,
                        'm' => modifiers.by_line = holds,
                        _ => modifiers.dot_is_all = holds,
                    }
                }
            }
        }
        let begin = if modifiers.ignores_case { "(?i:" } else { "(?-i:" };
        let has_end = usize::from(next == Some(':'));
        self.open(Before::Atom, modifiers, begin, 2 + text.len() + has_end);
    }

    /// An escape outside of classes.
    fn escape(&mut self) {
        match self.peek(1) {
            Some(c @ ('b' | 'B')) => {
                if self.modifiers.ignores_case {
                    self.lack("the border of a word in a group that ignores case");
                }
                // Words are of ASCII.
                self.border(&format!("(?-u:\\{c})"), 2);
            }
            Some('1'..='9') => {
                let digits = self.chars[self.at + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
                self.lack("a back reference");
                self.take("(?:)", 1 + digits);
            }
            Some('k') => self.named_reference(),
            _ => self.escaped_atom(),
        }
    }

    fn named_reference(&mut self) {
        let begin = self.at + 3;
        let (name, end) = if self.peek(2) == Some('<') { self.name(begin) } else { (None, self.at + 2) };
        match name {
            Some(name) => self.referred.push(name),
            None => self.is_wrong = true,
        }
        self.lack("a back reference");
        self.take("(?:)", end - self.at);
    }

    /// What stands in the braces of `\p{…}`, if they end.
    pub(super) fn property(&self) -> Option<String> {
        let begin = self.at + 3;
        self.last_brace.filter(|last| *last >= begin && self.peek(2) == Some('{'))?;
        Some(self.chars[begin..].iter().take_while(|c| **c != '}').collect())
    }
}
