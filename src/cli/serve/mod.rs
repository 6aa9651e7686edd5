//! `incident serve`: plays incidents and streams them.

mod args;
mod banner;
mod browser;
mod journal;
mod library;
mod limits;
mod notify;
mod receivers;
mod replay;
mod run;
mod sinks;
mod tls;
mod tokens;

pub(super) use args::Serve;
