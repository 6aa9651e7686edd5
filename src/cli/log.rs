//! The log on stderr: text for people, or JSON for programs.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt;
use std::io::IsTerminal;

use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

use super::color::ColorChoice;
use super::out::{log_lines, say};
use crate::visible::visible;

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
        .with_writer(move || log_lines(format == LogFormat::Json))
        // Module names mean nothing to operators.
        .with_target(false)
        // A closed stderr is no reason to stop.
        .log_internal_errors(false);
    match format {
        LogFormat::Text => {
            let log = log.with_ansi(color.wants(std::io::stderr().is_terminal()));
            log.fmt_fields(debug_fn(field).delimited(" ")).init();
            std::panic::set_hook(Box::new(panicked));
        }
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
            std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
        }
    }
}

/// Tells of a panic as Rust does, with a message that may quote anything.
fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    say(panic.to_string());
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        trace.to_string().lines().for_each(say);
    }
}

/// Writes a field, or the message, through the gate: strangers fill some of them.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = format!("{value:?}");
    let value = visible(&value);
    match field.name() {
        "message" => write!(writer, "{value}"),
        name if writer.has_ansi_escapes() => {
            write!(writer, "\u{1b}[3m{name}\u{1b}[0m\u{1b}[2m=\u{1b}[0m{value}")
        }
        name => write!(writer, "{name}={value}"),
    }
}
