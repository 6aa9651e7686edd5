//! Why a contract cannot be used.

use std::path::PathBuf;

use thiserror::Error;

/// Why a contract cannot be used: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}{text}", self.place())]
pub struct ContractError {
    /// The file.
    pub file: PathBuf,
    /// The line in it, from 1, if it is known.
    pub line: Option<usize>,
    /// A JSON pointer into the document, if the place is known.
    pub pointer: Option<String>,
    /// What is wrong, in plain words.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ContractError {
    pub(super) fn new(file: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, pointer: None, text: text.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn place(&self) -> String {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let pointer = self.pointer.as_ref().map(|pointer| format!(" at {pointer}")).unwrap_or_default();
        format!("{}{line}{pointer}: ", self.file.display())
    }
}
