//! What the server spends, next to the least that anything could spend: see `benches/README.md`.
//!
//! The program that is started is the load client and the judge. It starts itself again as the server that is
//! measured (`--role server`) and as the floor (`--role floor`), so that CPU and memory are theirs alone.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a benchmark that fails says so and ends")]

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

use std::process::ExitCode;

use clap::Parser;

use common::report::Report;
use options::{Options, Role};

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fanout: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") {
        eprintln!("fanout: Linux only: CPU and memory of a process are read from /proc");
        return Ok(());
    }
    // One descriptor a client on either side. Whether it was enough shows when they connect.
    let _ = rlimit::increase_nofile_limit(u64::from(options.most_clients()) + 256);
    match options.role {
        Some(Role::Floor) => return floor::run(options.clients()),
        Some(Role::Server) => return server::run(options.clients()),
        None => {}
    }
    if !options.bench && options.sections.is_empty() {
        // `cargo test --all-targets` gets here: a benchmark of a debug build would be long and say nothing.
        println!("fanout: run it with `cargo bench --bench fanout`");
        return Ok(());
    }
    let mut report = Report::new("fanout", options.json);
    for section in options.sections() {
        section.measure(options, &mut report)?;
    }
    report.finish();
    Ok(())
}
