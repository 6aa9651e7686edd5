//! What a rule says of a transcript.

use super::transcript::Received;

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds; a few words that say over what.
    Passed(String),
    /// It does not.
    Failed(Vec<Finding>),
    /// There was nothing to judge, and why.
    NotChecked(String),
}

/// One place where a rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub message: String,
    /// Line of the transcript, from 1.
    pub line: Option<usize>,
    /// Where in the stream, for people: position and second.
    pub place: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Finding {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), line: None, place: String::new(), hint: None }
    }

    pub(super) fn at(mut self, frame: &Received) -> Self {
        self.line = Some(frame.line);
        self.place = frame.place();
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Findings make a failure; none make a pass that says over what.
pub(super) fn verdict(findings: Vec<Finding>, passed: impl FnOnce() -> String) -> Verdict {
    if findings.is_empty() { Verdict::Passed(passed()) } else { Verdict::Failed(findings) }
}
