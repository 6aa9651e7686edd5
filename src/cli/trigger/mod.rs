//! `incident trigger`: starts an incident, or cancels one.

mod alerts;
mod args;
mod checklist;
mod conclusion;
mod file;
mod follow;
mod moments;
mod phases;
mod plain;
mod reporter;
mod run;
mod show;

pub(super) use args::Trigger;
