//! Colours: decided by the flag, then by `NO_COLOR`, then by whether the output is a terminal.

use std::io::IsTerminal;

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Even if the output is not a terminal
    Always,
    /// Never
    Never,
}

impl ColorChoice {
    /// Whether output has colours that goes to a terminal, or elsewhere.
    pub(super) fn wants(self, terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// Switches colours on or off in the whole process, as is right for output to `stream`.
    pub(super) fn apply(self, stream: &impl IsTerminal) -> bool {
        let color = self.wants(stream.is_terminal());
        colored::control::set_override(color);
        color
    }
}
