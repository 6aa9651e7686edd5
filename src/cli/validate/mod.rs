//! `incident validate`: checks scenarios, recordings and running servers.

mod args;
mod json;
mod judged;
mod link;
mod list;
mod listen;
mod play;
mod prepare;
mod recorded;
mod run;
mod session;
mod show;
mod stranger_args;
mod strangers;
mod targets;
mod timeline;
mod transcripts;

pub(super) use args::Validate;
