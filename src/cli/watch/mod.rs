//! `incident watch`: follows a stream in the terminal.

mod args;
mod filter;
mod footer;
mod layout;
mod line;
mod record;
mod run;
mod session;
mod unseen;
mod words;

pub(super) use args::Watch;
