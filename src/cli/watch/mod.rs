//! `incident watch`: follows a stream in the terminal.

mod args;
mod filter;
mod footer;
mod line;
mod record;
mod run;
mod session;

pub(super) use args::Watch;
