//! What the server spends, next to the least that anything could spend: see `benches/README.md`.
//!
//! The program that is started is the load client and the judge. It starts itself again as the server that is
//! measured (`--role server`) and as the floor (`--role floor`), so that CPU and memory are theirs alone.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a benchmark that fails says so and ends")]

mod certificate;
mod child;
#[path = "../common/mod.rs"]
mod common;
mod dialect;
mod floor;
mod load;
mod options;
mod peer;
mod sections;
mod server;
mod tally;
mod wire;

use std::process::ExitCode;

use clap::Parser;

use common::program;
use common::report::Report;
use options::{Options, Role};

fn main() -> ExitCode {
    let options = Options::parse();
    program::end("fanout", run(&options))
}

fn run(options: &Options) -> anyhow::Result<()> {
    // One descriptor a client on either side. Whether it was enough shows when they connect.
    let _ = rlimit::increase_nofile_limit(u64::from(options.most_clients()) + 256);
    match options.role {
        Some(Role::Floor) => return floor::run(options.clients()),
        Some(Role::Server) => return server::run(options.clients()),
        None => {}
    }
    if !program::measures("fanout", "CPU and memory", options.bench || !options.sections.is_empty()) {
        return Ok(());
    }
    let mut report = Report::new("fanout", options.json);
    for section in options.sections() {
        section.measure(options, &mut report)?;
    }
    report.finish();
    Ok(())
}
