//! The error of compiling a scenario with a seed.

use crate::scenario::diagnostic::Diagnostic;

/// Why a file without mistakes cannot be compiled with this seed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (with seed {seed})")]
pub struct CompileError {
    pub(super) message: String,
    pub(super) seed: u64,
    /// Where in the file's text the cause is, in bytes.
    pub(super) span: std::ops::Range<usize>,
    pub(super) help: String,
    /// Bytes of the plan that had been made.
    pub(in crate::scenario) made: usize,
}

impl CompileError {
    pub(in crate::scenario) fn new(
        message: String,
        seed: u64,
        span: std::ops::Range<usize>,
        help: &str,
    ) -> Self {
        Self { message, seed, span, help: help.to_owned(), made: 0 }
    }

    /// What to do about it.
    pub fn help(&self) -> &str {
        &self.help
    }

    pub(in crate::scenario) fn diagnostic(self) -> Diagnostic {
        Diagnostic::new(self.span, format!("{} (with seed {})", self.message, self.seed), "here")
            .help(self.help)
    }
}
