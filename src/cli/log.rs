//! The log on stderr: text for people, or JSON for programs.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;

use super::color::ColorChoice;

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LogFormat {
    /// Lines of text for people
    #[default]
    Text,
    /// One JSON object per line, and nothing else on stderr
    Json,
}

/// Sets up the log of the process.
pub(super) fn init(format: LogFormat, level: LevelFilter, color: ColorChoice) {
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        // Module names mean nothing to operators.
        .with_target(false)
        // A closed stderr is no reason to stop.
        .log_internal_errors(false);
    match format {
        LogFormat::Text => {
            log.with_ansi(color.wants(std::io::stderr().is_terminal())).init();
        }
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
            std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
        }
    }
}
