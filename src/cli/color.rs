//! Colours: the flag, then `NO_COLOR`, then whether anybody looks.

use std::io::IsTerminal;

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl ColorChoice {
    /// Whether output to a place that is a terminal or not has colours.
    pub(super) fn wants(self, terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    /// Makes this the process's decision for what is written to `stream`.
    pub(super) fn apply(self, stream: &impl IsTerminal) -> bool {
        let color = self.wants(stream.is_terminal());
        colored::control::set_override(color);
        color
    }
}
