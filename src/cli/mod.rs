//! The command line: one file a subcommand, its flags and its `run` together.

mod banner;
mod browser;
mod check_journal;
mod clock;
mod color;
mod completions;
mod exit;
mod format;
mod journal;
mod limits;
mod log;
mod names;
mod outfile;
mod proof;
mod remote;
mod replay;
mod report;
mod reread;
mod say;
mod schema;
mod serve;
mod signals;
mod tls;
mod tokens;
mod trigger;
mod trust;
mod validate;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use color::ColorChoice;
use exit::{Exit, Failure};
use log::LogFormat;

/// Play incidents and stream them live.
#[derive(Debug, Parser)]
#[command(name = "incident", version, about, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "Begin with:  incident serve --open --trigger database-outage")]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    color: ColorChoice,

    /// Say more about what happens (twice: everything)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    verbose: u8,

    /// Say only what goes wrong
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play incidents and stream them to dashboards, terminals and programs
    Serve(Box<serve::Serve>),
    /// Start an incident on a running server and follow it to its end
    Trigger(trigger::Trigger),
    /// Follow a stream in the terminal
    Watch(Box<watch::Watch>),
    /// Check that scenarios, recordings or a running server keep the contract
    Validate(Box<validate::Validate>),
    /// Check every event of a journal file, and save what is sound of a damaged one
    CheckJournal(check_journal::CheckJournal),
    /// Write the post-incident report of an incident
    Report(report::Report),
    /// Print the JSON Schema of the messages
    Schema(schema::Schema),
    /// Print a completion script for a shell
    Completions(completions::Completions),
}

/// Parses the command line, runs it and turns its end into an exit status.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let format = match &cli.command {
        Command::Serve(serve) => serve.log_format,
        _ => LogFormat::Text,
    };
    log::init(format, level(&cli), cli.color);
    let ended = match cli.command {
        Command::Serve(serve) => serve.run(cli.color, cli.quiet),
        Command::Trigger(trigger) => trigger.run(cli.color, cli.quiet),
        Command::Watch(watch) => watch.run(cli.color, cli.quiet),
        Command::Validate(validate) => validate.run(cli.color, cli.quiet),
        Command::CheckJournal(check) => check.run(cli.color, cli.quiet),
        Command::Report(report) => report.run(),
        Command::Schema(schema) => schema.run(),
        Command::Completions(completions) => completions.run(&mut Cli::command()),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) if format == LogFormat::Json => failure.log(),
        Err(failure) => failure.report(cli.color),
    }
}

/// How loud the log is.
fn level(cli: &Cli) -> LevelFilter {
    let usual = if matches!(cli.command, Command::Serve(_)) { LevelFilter::INFO } else { LevelFilter::WARN };
    match (cli.quiet, cli.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => usual,
        (false, 1) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    }
}

/// A runtime with a thread a core, for commands that serve or follow.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Runtime::new().map_err(|error| Failure::new(Exit::Internal, error))
}
