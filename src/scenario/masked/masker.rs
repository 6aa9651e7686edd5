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

/// Where in a statement the reader is.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    BeforeName,
    BeforeValue,
    BehindValue,
    /// This is no TOML, and nobody knows what it is: nothing is shown up to the next statement.
    Lost,
}

/// A bracket that is open.
#[derive(Clone, Copy)]
struct Bracket {
    is_table: bool,
    is_secret: bool,
}

/// Reads a text from its beginning to its end.
#[derive(Default)]
pub(super) struct Masker<'a> {
    harmless: &'a [&'a str],
    table: &'a str,
    left: &'a str,
    shown: String,
    words: HashSet<String>,
    /// The key in the table above which everything stands, and whether one of the names above is secret.
    header: Option<&'a str>,
    is_header_secret: bool,
    /// The key of the statement, the last name in it, and whether that or one around it is secret.
    key: Option<&'a str>,
    name: &'a str,
    is_secret: bool,
    /// The brackets of the statement that are open.
    open: Vec<Bracket>,
    place: Place,
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
            '[' | '{' => self.opens(c == '{'),
            ']' | '}' => self.closes(c == '}'),
            ',' if self.place == Place::BehindValue
                && let Some(around) = self.open.last() =>
            {
                self.place = if around.is_table { Place::BeforeName } else { Place::BeforeValue };
                self.show(1);
            }
            c if is_part_of_word(c) => self.word(),
            c if c.is_whitespace() => self.show(c.len_utf8()),
            c => self.lose(c.len_utf8()),
        }
    }

    /// A header, or the name that a line begins with.
    fn begin_line(&mut self) {
        let line = &self.left[..end_of(self.left, |c| c != '\n')];
        let begin = line.len() - line.trim_start().len();
        let header = line[begin..end_of(line, |c| c != '#')].trim_end();
        if let Some(name) = header.strip_prefix('[').map(|name| name.trim_matches(['[', ']', ' ', '\t']))
            && header.ends_with(']')
            && name.split('.').all(|part| is_simple(part.trim()))
        {
            self.take_header(name);
            self.show(begin + header.len());
            return;
        }
        let (word, after) = first_word(&line[begin..]);
        let is_name = after.starts_with('=') && is_simple(word);
        // A bracket that is open may have been forgotten.
        if self.open.is_empty() || is_name && self.is_harmless() {
            // A value belongs to the line of its key.
            (self.key, self.name, self.place) = (None, "", Place::BeforeName);
            self.open.clear();
        }
        self.show(begin);
        let is_bare = line[begin..].starts_with(word) && is_simple(word);
        if header.starts_with('[') && self.open.is_empty() {
            // A header in another form: nobody knows whose the keys below it are.
            (self.header, self.place) = (Some(""), Place::Lost);
            self.show(end_of(header, |c| c == '['));
        } else if is_bare && after.starts_with(':') {
            self.open.clear();
            self.take_name(word);
            self.show(line.len() - begin - after.len() + 1);
        } else if is_bare
            && self.open.is_empty()
            && !is_name
            && is_plain(word)
            && line[begin..].contains([' ', '\t'])
        {
            // A line as a file with tokens has it, or one whose `=` is missing.
            self.show(word.len());
            self.place = Place::Lost;
        }
    }

    /// The names in a header, which is a statement of its own.
    fn take_header(&mut self, name: &'a str) {
        let mut parts = name.split('.').map(str::trim);
        self.header = if self.table.is_empty() {
            parts.next()
        } else {
            // Another table, or one below that of the keys.
            let is_below = parts.next() == Some(self.table);
            if is_below { parts.next() } else { Some("") }
        };
        self.is_header_secret = is_secret(name);
        (self.key, self.place) = (None, Place::Lost);
        self.open.clear();
    }

    fn opens(&mut self, is_table: bool) {
        let is_value = self.place == Place::BeforeValue;
        self.open.push(Bracket { is_table, is_secret: self.is_secret });
        if is_value {
            self.place = if is_table { Place::BeforeName } else { Place::BeforeValue };
            self.show(1);
        } else {
            self.lose(1);
        }
    }

    fn closes(&mut self, is_table: bool) {
        let before = if is_table { Place::BeforeName } else { Place::BeforeValue };
        let fits = self.open.pop().is_some_and(|open| open.is_table == is_table)
            && [before, Place::BehindValue].contains(&self.place);
        if fits {
            self.place = Place::BehindValue;
            self.show(1);
        } else {
            self.lose(1);
        }
    }

    /// A name, or a value without quotes.
    fn word(&mut self) {
        let word = &self.left[..end_of(self.left, is_part_of_word)];
        let is_name = self.is_name(word, word.len());
        match self.place {
            _ if is_name => {}
            Place::BeforeValue => {
                // In brackets that are not closed it may belong to what follows.
                let is_known = self.may_show() && self.open.is_empty()
                    || is_number(word) && self.key.is_some() && !self.is_secret;
                self.put(word, is_known && self.ends_well(word.len()));
                self.place = Place::BehindValue;
            }
            _ => self.lose(word.len()),
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
        let whole = mark.len() + length + closing.len();
        let is_name = self.is_name(value, whole);
        match self.place {
            _ if is_name => {}
            Place::BeforeValue => {
                // A text of more than one line may have ended where its mark was forgotten.
                let is_whole = !closing.is_empty() && !value.contains('\n');
                let is_shown = self.may_show() && is_whole && self.ends_well(whole);
                self.show(mark.len());
                self.put(value, is_shown);
                self.show(closing.len());
                self.place = Place::BehindValue;
            }
            _ => self.lose(whole),
        }
    }

    /// Takes a word that stands at the beginning of what is left in so many bytes, and the `=` behind it, if it is a name.
    fn is_name(&mut self, word: &'a str, length: usize) -> bool {
        let after = self.left[length..].trim_start_matches([' ', '\t']);
        let is_name = self.place == Place::BeforeName
            && after.starts_with('=')
            && !after.starts_with("==")
            && is_simple(word);
        if is_name {
            self.take_name(word);
            self.show(self.left.len() - after.len() + 1);
        }
        is_name
    }

    fn take_name(&mut self, word: &'a str) {
        let mut parts = word.split('.');
        if self.open.is_empty() || self.key.is_none() {
            self.key = self.header.or(parts.next());
        }
        self.name = parts.next_back().unwrap_or(word);
        let is_key = self.open.is_empty() && self.header.is_none() && self.harmless.contains(&word);
        let is_around_secret = self.open.last().map_or(self.is_header_secret, |open| open.is_secret);
        self.is_secret = is_around_secret || is_secret(word) && !is_key;
        self.place = Place::BeforeValue;
    }

    fn is_harmless(&self) -> bool {
        self.key.is_some_and(|key| self.harmless.contains(&key))
    }

    fn may_show(&self) -> bool {
        self.is_harmless() && !self.is_secret
    }

    /// Whether a value of so many bytes is followed by what may follow it. If it is not, it may have ended too early.
    fn ends_well(&self, length: usize) -> bool {
        let rest = self.left[length..].trim_start_matches(|c: char| c.is_whitespace() && c != '\n');
        rest.is_empty()
            || rest.starts_with(['\n', '#'])
            || !self.open.is_empty() && rest.starts_with([',', ']', '}'])
    }

    /// Puts what is left's next part, a value.
    fn put(&mut self, value: &'a str, is_shown: bool) {
        let is_url = self.name.ends_with("url") || value.contains("://");
        if !is_shown || !is_url && names_secret(value) {
            return self.hide(value.len(), stars);
        }
        let hidden = if is_url { hidden_parts(value) } else { Vec::new() };
        let mut from = 0;
        for part in hidden {
            self.show(part.start - from);
            self.hide(part.len(), stars);
            from = part.end;
        }
        self.show(value.len() - from);
    }

    /// Hides so many bytes of what is left, and what follows them.
    fn lose(&mut self, length: usize) {
        self.place = Place::Lost;
        self.hide(length, all_stars);
    }

    /// Hides so many bytes of what is left.
    fn hide(&mut self, length: usize, stars: fn(&str) -> String) {
        let (hidden, left) = self.left.split_at(length);
        self.shown += &stars(hidden);
        let words = hidden.split(|c: char| !c.is_alphanumeric());
        let is_long = |word: &&str| word.chars().nth(SHORTEST_WORD - 1).is_some();
        self.words.extend(words.filter(is_long).filter(|word| !word.starts_with("http")).map(str::to_owned));
        self.left = left;
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

/// Whether a value says itself that it is secret, as in `Bearer abc` or `token=abc`.
fn names_secret(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    let is_behind = |c: char| c.is_whitespace() || "=:".contains(c);
    SECRET.iter().any(|word| value.split_once(word).is_some_and(|(_, behind)| behind.contains(is_behind)))
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

/// A text with `*` for each byte.
fn all_stars(text: &str) -> String {
    let star = |c: char| if c.is_whitespace() { c.to_string() } else { "*".repeat(c.len_utf8()) };
    text.chars().map(star).collect()
}
