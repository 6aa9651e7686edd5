//! `incident validate`: checks scenarios, recordings and running servers.

mod again;
mod args;
mod arrived;
mod bars;
mod inbox;
mod judged;
mod link;
mod list;
mod listen;
mod peek;
mod play;
mod prepare;
mod progress;
mod recorded;
mod reports;
mod run;
mod session;
mod stranger_args;
mod strangers;
mod targets;
mod timeline;
mod transcripts;
mod trigger;

pub(super) use args::Validate;
