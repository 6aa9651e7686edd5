//! The command line. A subcommand is a file or a folder, with its flags and its `run` together.

mod check_journal;
mod clock;
mod color;
mod command;
mod completions;
mod duration;
mod exit;
mod format;
mod health;
mod log;
mod names;
mod outfile;
mod recorded;
mod remote;
mod report;
mod reread;
mod runtime;
mod say;
mod schema;
mod serve;
mod signals;
mod token_args;
mod trigger;
mod trust_args;
mod validate;
mod watch;

pub use command::main;
