//! Reads a file that may be no TOML, and hides what is not known to be harmless.

use std::collections::HashSet;

use super::url::hidden_parts;

/// Words in the names of values that are secret, also in the tables of harmless keys.
const SECRET: [&str; 9] =
    ["auth", "pass", "secret", "token", "cookie", "credential", "bearer", "key", "signature"];

/// The longest name that is shown.
const LONGEST_NAME: usize = 40;

/// A word with a digit in it that is as long may be a token that stands in the place of a name.
pub(super) const LIKE_TOKEN: usize = 16;

/// Words of fewer characters are too short for a secret, and messages have them too.
const SHORTEST_WORD: usize = 3;

/// Reads a text from its beginning to its end.
#[derive(Default)]
pub(super) struct Masker<'a> {
    harmless: &'a [&'a str],
    table: &'a str,
    left: &'a str,
    shown: String,
    words: HashSet<String>,
    /// The key in the table above which everything stands.
    header: Option<&'a str>,
    /// The key of the statement, and the last name in it.
    key: Option<&'a str>,
    name: &'a str,
    /// How many brackets of the statement are open.
    open: usize,
    /// Whether the line has a word already, so that what follows is no name.
    has_word: bool,
    is_inside_line: bool,
}

impl<'a> Masker<'a> {
    pub(super) fn new(text: &'a str, table: &'a str, harmless: &'a [&'a str]) -> Self {
        Self { harmless, table, left: text, ..Self::default() }
    }

    /// What is shown, and the words that are not.
    pub(super) fn masked(mut self) -> (String, HashSet<String>) {
        while !self.left.is_empty() {
            self.step();
        }
        (self.shown, self.words)
    }

    /// Takes the next part of what is left.
    fn step(&mut self) {
        if !self.is_inside_line {
            self.begin_line();
            self.is_inside_line = true;
            return;
        }
        let Some(c) = self.left.chars().next() else { return };
        match c {
            '\n' => {
                self.is_inside_line = false;
                self.show(1);
            }
            '#' => {
                let (comment, rest) = self.left.split_at(end_of(self.left, |c| c != '\n'));
                self.shown += &format!("#{}", stars(&comment[1..]));
                self.left = rest;
            }
            '"' | '\'' => self.text(c),
            '[' | '{' => {
                self.open += 1;
                self.show(1);
            }
            ']' | '}' => {
                self.open = self.open.saturating_sub(1);
                self.show(1);
            }
            c if is_part_of_word(c) => {
                let word = &self.left[..end_of(self.left, is_part_of_word)];
                if !self.is_name(word, word.len()) {
                    // In brackets that are not closed it may belong to what follows.
                    let is_shown = self.may_show() && self.open == 0
                        || is_number(word) && self.key.is_some() && !is_secret(self.name);
                    self.put(word, is_shown);
                    self.has_word = true;
                }
            }
            c => {
                self.has_word &= c.is_whitespace();
                self.show(c.len_utf8());
            }
        }
    }

    /// A header, or the name that a line begins with.
    fn begin_line(&mut self) {
        self.has_word = false;
        let line = &self.left[..end_of(self.left, |c| c != '\n')];
        let begin = line.len() - line.trim_start().len();
        let header = line[begin..end_of(line, |c| c != '#')].trim_end();
        if let Some(name) = header.strip_prefix('[').map(|name| name.trim_matches(['[', ']', ' ', '\t']))
            && header.ends_with(']')
            && name.split('.').all(|part| is_simple(part.trim()))
        {
            let mut parts = name.split('.').map(str::trim);
            self.header = if self.table.is_empty() {
                parts.next()
            } else {
                // Another table, or one below that of the keys.
                let is_below = parts.next() == Some(self.table);
                if is_below { parts.next() } else { Some("") }
            };
            (self.key, self.open) = (None, 0);
            self.show(begin + header.len());
            return;
        }
        if header.starts_with('[') && self.open == 0 {
            // A header in another form: nobody knows whose the keys below it are.
            self.header = Some("");
        }
        let (word, after) = first_word(&line[begin..]);
        let is_name = after.starts_with('=') && is_simple(word);
        // A bracket that is open may have been forgotten.
        if self.open == 0 || is_name && self.is_harmless() {
            // A value belongs to the line of its key.
            (self.key, self.name, self.open) = (None, "", 0);
        }
        self.show(begin);
        if after.starts_with(':') && is_simple(word) && line[begin..].starts_with(word) {
            self.open = 0;
            self.take_name(word, word.len());
        } else if self.key.is_none()
            && line[begin..].contains([' ', '\t'])
            && is_plain(word)
            && !is_name
            && line[begin..].starts_with(word)
        {
            // A line as a file with tokens has it, or one whose `=` is missing.
            self.show(word.len());
            self.has_word = true;
        }
    }

    /// A text in quotes, or what has their beginning.
    fn text(&mut self, quote: char) {
        let mark = if quote == '"' { "\"\"\"" } else { "'''" };
        let mark = if self.left.starts_with(mark) { mark } else { &mark[..1] };
        let inner = &self.left[mark.len()..];
        let length = length_of_text(inner, mark);
        let closing = if inner[length..].starts_with(mark) { mark } else { "" };
        let value = &inner[..length];
        if !self.is_name(value, mark.len() + length + closing.len()) {
            self.left = &self.left[mark.len()..];
            self.shown += mark;
            let is_name = self.left[length + closing.len()..].trim_start().starts_with('=');
            self.put(value, self.may_show() && !is_name);
            self.show(closing.len());
        }
        self.has_word = false;
    }

    /// Takes a word that stands at the beginning of what is left in so many bytes, if it is a name.
    fn is_name(&mut self, word: &'a str, length: usize) -> bool {
        let after = self.left[length..].trim_start_matches([' ', '\t']);
        let is_name = after.starts_with('=') && !after.starts_with("==") && !self.has_word && is_simple(word);
        if is_name {
            self.take_name(word, length);
        }
        is_name
    }

    fn take_name(&mut self, word: &'a str, length: usize) {
        let mut parts = word.split('.');
        if self.open == 0 || self.key.is_none() {
            self.key = self.header.or(parts.next());
        }
        self.name = parts.next_back().unwrap_or(word);
        self.show(length);
    }

    fn is_harmless(&self) -> bool {
        self.key.is_some_and(|key| self.harmless.contains(&key))
    }

    fn may_show(&self) -> bool {
        let is_key = self.key == Some(self.name);
        self.is_harmless() && (is_key || !is_secret(self.name))
    }

    /// Puts what is left's next part, a value.
    fn put(&mut self, value: &'a str, is_shown: bool) {
        self.left = &self.left[value.len()..];
        let hidden = match is_shown {
            true if self.name.ends_with("url") => hidden_parts(value),
            true => Vec::new(),
            false => std::iter::once(0..value.len()).collect(),
        };
        let mut from = 0;
        for part in hidden {
            self.shown.extend([&value[from..part.start], &stars(&value[part.clone()])]);
            let words = value[part.clone()].split(|c: char| !c.is_alphanumeric());
            let is_long = |word: &&str| word.chars().nth(SHORTEST_WORD - 1).is_some();
            self.words
                .extend(words.filter(is_long).filter(|word| !word.starts_with("http")).map(str::to_owned));
            from = part.end;
        }
        self.shown += &value[from..];
    }

    /// Shows so many bytes of what is left.
    fn show(&mut self, length: usize) {
        let (shown, left) = self.left.split_at(length);
        self.shown += shown;
        self.left = left;
    }
}

/// Whether the value of this name is secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|word| name.contains(word))
}

/// Whether this can be a name, and is hardly something else.
fn is_simple(word: &str) -> bool {
    let is_token = word.len() >= LIKE_TOKEN
        && word.contains(|c: char| c.is_ascii_digit())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    (1..=LONGEST_NAME).contains(&word.len()) && !is_token && word.chars().all(is_part)
}

/// Whether this is the word of a language rather than a token.
fn is_plain(word: &str) -> bool {
    is_simple(word)
        && word.len() < LIKE_TOKEN
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn is_number(word: &str) -> bool {
    ["true", "false", "inf", "nan"].contains(&word)
        || word.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c))
            && word.chars().all(|c| c.is_ascii_digit() || "+-._:TZ".contains(c))
}

/// The word at the beginning of a line, also in quotes, and what follows it.
fn first_word(line: &str) -> (&str, &str) {
    let quoted = line.strip_prefix(['"', '\'']).and_then(|inner| inner.split_once(&line[..1]));
    let (word, after) = quoted.unwrap_or_else(|| line.split_at(end_of(line, is_part_of_word)));
    (word, after.trim_start())
}

fn is_part_of_word(c: char) -> bool {
    !c.is_whitespace() && !"\"'[]{}=,:#".contains(c)
}

/// How many bytes at the beginning are of such characters.
pub(super) fn end_of(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}

/// How many bytes there are up to the mark, or to the end of the line if the mark is of one character.
fn length_of_text(inner: &str, mark: &str) -> usize {
    let is_basic = mark.starts_with('"');
    let mut is_escaped = false;
    for (at, c) in inner.char_indices() {
        if !is_escaped && inner[at..].starts_with(mark) || mark.len() == 1 && c == '\n' {
            return at;
        }
        is_escaped = is_basic && c == '\\' && !is_escaped;
    }
    inner.len()
}

/// A text with `*` for each byte, but for its brackets and the like.
pub(super) fn stars(text: &str) -> String {
    let star = |c: char| {
        let is_shown = c.is_whitespace() || "[]{}=,:".contains(c);
        if is_shown { c.to_string() } else { "*".repeat(c.len_utf8()) }
    };
    text.chars().map(star).collect()
}
