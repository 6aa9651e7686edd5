//! `incident validate`: checks scenarios, recordings and running servers.

mod args;
mod json;
mod judged;
mod link;
mod list;
mod listen;
mod play;
mod recorded;
mod run;
mod session;
mod show;
mod targets;
mod timeline;
mod transcripts;

pub(super) use args::Validate;
