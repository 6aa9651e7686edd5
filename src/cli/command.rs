//! The whole command line: parses it, sets up the log, runs the subcommand, and turns its result into an exit status.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use super::cancel::Cancel;
use super::check_journal::CheckJournal;
use super::check_receivers::CheckReceivers;
use super::color::ColorChoice;
use super::complete;
use super::completions::Completions;
use super::copy_journal::CopyJournal;
use super::exit::{Exit, Failure};
use super::export::Export;
use super::health::Health;
use super::list::List;
use super::log::{self, LogFormat};
use super::man::ManPage;
use super::new::New;
use super::out;
use super::publish::Publish;
use super::remote::url_is_given;
use super::report::Report;
use super::schema::Schema;
use super::serve::Serve;
use super::show::Show;
use super::signals;
use super::suggestions;
use super::trigger::Trigger;
use super::validate::Validate;
use super::watch::Watch;
use crate::client::{urls_without_secrets, without_secrets};
use crate::visible::visible;

/// The global flags come after those of the subcommand.
const LAST: usize = 1_000;

/// Play incidents written as TOML scenarios and stream them live over WebSocket and Server-Sent Events
#[derive(Debug, Parser)]
#[command(name = "incident", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "\
Begin with:
  incident serve --open --trigger database-outage")]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to use colours
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = "Output",
        display_order = LAST
    )]
    color: ColorChoice,

    /// Log more details (-vv: everything)
    #[arg(
        short,
        long,
        global = true,
        action = clap::ArgAction::Count,
        help_heading = "Output",
        display_order = LAST
    )]
    verbose: u8,

    /// Print only errors and results
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Output",
        display_order = LAST
    )]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<Serve>),
    Trigger(Trigger),
    Watch(Box<Watch>),
    Validate(Box<Validate>),
    List(List),
    Show(Show),
    New(New),
    Export(Export),
    Cancel(Cancel),
    Publish(Box<Publish>),
    Report(Report),
    Health(Health),
    CheckJournal(CheckJournal),
    CopyJournal(CopyJournal),
    CheckReceivers(CheckReceivers),
    Schema(Schema),
    Completions(Completions),
    Man(ManPage),
}

/// Runs the program: the whole of `main`.
pub fn main() -> ExitCode {
    complete::answer::<Cli>();
    let cli = match parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return usage(error),
    };
    let format = match &cli.command {
        Command::Serve(serve) => serve.log_format,
        _ => LogFormat::Text,
    };
    if let Command::Serve(_) = cli.command {
        out::never_wait_for_stderr();
    }
    log::init(format, level(&cli), cli.color);
    let ended = match cli.command {
        Command::Serve(serve) => serve.run(cli.color, cli.quiet),
        Command::Trigger(trigger) => trigger.run(cli.color, cli.quiet),
        Command::Watch(watch) => watch.run(cli.color, cli.quiet),
        Command::Validate(validate) => validate.run(cli.color, cli.quiet, cli.verbose > 0),
        Command::List(list) => list.run(cli.color, cli.quiet),
        Command::Show(show) => show.run(),
        Command::New(new) => new.run(cli.quiet),
        Command::Export(export) => export.run(cli.quiet),
        Command::Cancel(cancel) => cancel.run(cli.color),
        Command::Publish(publish) => publish.run(cli.color, cli.quiet),
        Command::Report(report) => report.run(),
        Command::Health(health) => health.run(),
        Command::CheckJournal(check) => check.run(cli.color, cli.quiet),
        Command::CopyJournal(copy) => copy.run(cli.color, cli.quiet),
        Command::CheckReceivers(check) => check.run(cli.color, cli.quiet),
        Command::Schema(schema) => schema.run(cli.color, cli.quiet),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(Cli::command()),
    };
    out::leave_drawing();
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            let exit = match format {
                LogFormat::Json => failure.log(),
                LogFormat::Text => failure.report(cli.color),
            };
            // A server that has stopped as it should has waited already.
            signals::end_after(out::finish_stderr);
            exit
        }
    }
}

/// Reads the command line.
fn parse(words: impl Iterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let matches = with_negative_numbers(Cli::command()).try_get_matches_from(words)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut Cli::command()))
}

/// Lets every flag with a value have one as `-1`, so that what reads the value says why it can't be used.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| {
        let is_flag = arg.get_long().is_some() && arg.get_action().takes_values();
        if is_flag { arg.allow_negative_numbers(true) } else { arg }
    });
    command.mut_subcommands(with_negative_numbers)
}

/// Prints the help that was asked for, or what is wrong with the command line. A mistake quotes arguments, such as the names
/// of files: they are shown as the gate shows them.
fn usage(error: clap::Error) -> ExitCode {
    let mistake = error.use_stderr();
    let shown: Vec<_> = std::env::args_os().map(|arg| visible(&arg.to_string_lossy()).into_owned()).collect();
    let mut error = match parse(shown.iter().map(Into::into)) {
        Err(shown) if mistake && shown.use_stderr() => shown,
        _ => error,
    };
    suggestions::add(&mut error, shown.get(1..).unwrap_or_default(), &Cli::command());
    // A value may come from a variable, too.
    let flag = error.get(ContextKind::InvalidArg).map(ToString::to_string).unwrap_or_default();
    let is_url = flag.split(' ').next() == Some("--url");
    if is_url && error.kind() == ErrorKind::ValueValidation && !url_is_given() {
        error.insert(ContextKind::InvalidArg, ContextValue::String("the variable INCIDENT_URL".to_owned()));
    }
    let quoted: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in quoted {
        if let ContextValue::String(text) = value {
            let text = if kind == ContextKind::InvalidValue { unsecret(&flag, &text) } else { text };
            // Also the address of a server without its flag and scheme.
            let text = if text.contains('@') { without_secrets(&text).into_owned() } else { text };
            let text = visible(&urls_without_secrets(&text)).into_owned();
            error.insert(kind, ContextValue::String(text));
        }
    }
    let terminal = if mistake { std::io::stderr().is_terminal() } else { std::io::stdout().is_terminal() };
    let drawing = error.render();
    let drawing =
        if ColorChoice::Auto.wants(terminal) { drawing.ansi().to_string() } else { drawing.to_string() };
    if let Err(error) = out::print_usage(&drawing, mistake) {
        return Failure::from(error).report(ColorChoice::Auto);
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8))
}

/// A value as a mistake may quote it: what may be a password or a token is left out.
fn unsecret(flag: &str, value: &str) -> String {
    match flag.split(' ').next().unwrap_or_default() {
        "--url" | "--sse" | "--allow-origin" | "--alerts-to" | "--peers" => {
            without_secrets(value).into_owned()
        }
        "--header" => value.split_once(':').map_or("…".to_owned(), |(name, _)| format!("{name}: …")),
        "--subprotocol" | "--send" => "…".to_owned(),
        _ => value.to_owned(),
    }
}

/// Which messages are logged.
fn level(cli: &Cli) -> LevelFilter {
    let usual = if matches!(cli.command, Command::Serve(_)) { LevelFilter::INFO } else { LevelFilter::WARN };
    // The first -v of `validate` asks for all rules, not for the log of its servers.
    let verbose = cli.verbose.saturating_sub(u8::from(matches!(cli.command, Command::Validate(_))));
    match (cli.quiet, verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => usual,
        (false, 1) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    }
}
