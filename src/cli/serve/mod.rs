//! `incident serve`: plays incidents and streams them.

mod again;
mod args;
mod banner;
mod browser;
mod handover;
mod journal;
mod library;
mod limits;
mod notify;
mod ready_files;
mod reload;
mod replay;
mod run;
mod setup_file;
mod tls;
mod tokens;

pub(super) use args::Serve;
