//! The command line. A subcommand is a file or a folder, with its flags and its `run` together.

mod cancel;
mod check_journal;
mod clock;
mod color;
mod command;
mod complete;
mod completions;
mod duration;
mod exit;
mod fit;
mod format;
mod journal_file;
mod list;
mod log;
mod man;
mod mistakes;
mod outfile;
mod remote;
mod report;
mod reread;
mod runtime;
mod say;
mod scenarios;
mod schema;
mod serve;
mod show;
mod signals;
mod table;
mod terminal;
mod token_args;
mod trigger;
mod trust_args;
mod validate;
mod watch;

pub use command::main;
