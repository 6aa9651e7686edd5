//! The verdict of a rule about a transcript.

use super::transcript::Received;

/// The verdict of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The transcript keeps the rule. The text says what was checked.
    Passed(String),
    /// The transcript breaks the rule.
    Failed(Vec<Finding>),
    /// There was nothing to check. The text says why.
    NotChecked(String),
}

/// One place in a transcript that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub message: String,
    /// Line of the transcript, from 1.
    pub line: Option<usize>,
    /// Where in the stream it is, for people: position and second.
    pub place: String,
    /// What to look at or to do.
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

/// Failed if there are findings, otherwise passed with the text of `passed`.
pub(super) fn verdict(findings: Vec<Finding>, passed: impl FnOnce() -> String) -> Verdict {
    if findings.is_empty() { Verdict::Passed(passed()) } else { Verdict::Failed(findings) }
}
