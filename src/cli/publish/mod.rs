//! `incident publish`: sends events of real incidents to a server, from a file, a pipe or flags.

mod args;
mod lines;
mod run;
mod send;
mod sending;
mod single;

pub(super) use args::Publish;
