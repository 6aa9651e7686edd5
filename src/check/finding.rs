//! What a rule says in the end, and the places in a stream that break it.

use std::fmt;

/// How many findings of one rule are kept. The others are only counted, so that a broken stream takes bounded memory.
const KEPT: usize = 100;

/// The verdict of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The stream keeps the rule. The text says what was checked.
    Passed(String),
    /// The stream breaks the rule: the first findings, in order of arrival, and how many more there are.
    Failed(Vec<Finding>, u64),
    /// There was nothing to check. The text says why.
    NotChecked(String),
}

/// One place in a stream that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong, and what was expected.
    pub message: String,
    /// Line of the transcript or recording, from 1.
    pub line: Option<usize>,
    /// Where in the stream it is, for people: position and second.
    pub place: String,
    /// A JSON pointer to the attribute or field; empty if the finding is about no single one.
    pub pointer: String,
    /// What to look at or to do.
    pub hint: Option<String>,
}

impl Finding {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), line: None, place: String::new(), pointer: String::new(), hint: None }
    }

    pub(super) fn place(mut self, place: &Place) -> Self {
        self.line = Some(place.line);
        self.place = place.spot.to_string();
        self
    }

    pub(super) fn field(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Where a frame is, kept longer than the frame. It is put into words only if something is found there: most frames are
/// sound.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) spot: Spot,
}

/// Where in the stream a frame is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Spot {
    /// An event's position, and its second if it has one.
    Event(u64, Option<f64>),
    /// Anything else, in words.
    Words(String),
}

impl Default for Spot {
    fn default() -> Self {
        Self::Words(String::new())
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(n, Some(offset)) if offset.abs() < LONG => write!(f, "position {n}, T+{offset:.1} s"),
            Self::Event(n, Some(offset)) => write!(f, "position {n}, T+{} s", seconds(*offset)),
            Self::Event(n, None) => write!(f, "position {n}"),
            Self::Words(words) => f.write_str(words),
        }
    }
}

/// From here on a number of seconds is shown with its power of ten: its digits would fill lines.
const LONG: f64 = 1e15;

/// A number of seconds, as a message has it.
pub(super) fn seconds(number: f64) -> String {
    if number.abs() < LONG { number.to_string() } else { format!("{number:e}") }
}

/// The findings of one rule, and how often it was checked.
#[derive(Debug, Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    more: u64,
    /// How many things the rule has judged.
    pub(super) judged: u64,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        if self.kept.len() < KEPT {
            self.kept.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Whether it is there already, perhaps of another place, or so many are that one more says nothing.
    pub(super) fn knows(&self, finding: &Finding) -> bool {
        let same = |kept: &Finding| kept.message == finding.message && kept.pointer == finding.pointer;
        self.more > 0 || self.kept.iter().any(same)
    }

    pub(super) fn count(&self) -> u64 {
        self.kept.len() as u64 + self.more
    }

    /// Failed if there are findings, passed if something was judged, else not checked.
    pub(super) fn verdict(
        mut self,
        passed: impl FnOnce(u64) -> String,
        unchecked: impl FnOnce() -> String,
    ) -> Verdict {
        if !self.kept.is_empty() {
            self.kept.sort_by_key(|finding| finding.line.unwrap_or(usize::MAX));
            Verdict::Failed(self.kept, self.more)
        } else if self.judged > 0 {
            Verdict::Passed(passed(self.judged))
        } else {
            Verdict::NotChecked(unchecked())
        }
    }
}

/// A value from the stream as a message quotes it: in quotes, and cut after 80 characters.
pub(super) fn quoted(value: &str) -> String {
    const LONGEST: usize = 80;
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}

/// A value as [`quoted`] cuts it, without the quotes.
pub(super) fn cut(value: &str) -> String {
    let quoted = quoted(value);
    let inner = quoted.trim_end_matches('…');
    inner[1..inner.len() - 1].to_owned()
}
