//! `incident validate`: checks scenarios, recordings and running servers.

mod args;
mod collect;
mod judged;
mod play;
mod run;
mod show;
mod targets;
mod timeline;
mod transcripts;

pub(super) use args::Validate;
