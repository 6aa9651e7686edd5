//! `incident validate`: checks scenarios, recordings and running servers.

mod again;
mod args;
mod judged;
mod link;
mod list;
mod listen;
mod play;
mod progress;
mod recorded;
mod reports;
mod run;
mod session;
mod targets;
mod timeline;
mod transcripts;

pub(super) use args::Validate;
