//! What publishing costs, next to the journal that takes the events: see `benches/README.md`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a benchmark that fails says so and ends")]

#[path = "../common/mod.rs"]
mod common;
mod floor;
mod latency;
mod rates;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use common::program;
use common::publisher;
use common::real::Server;
use common::report::Section;

/// Measure `POST /api/events` against the journal alone.
#[derive(Debug, Parser)]
#[command(name = "publish")]
struct Options {
    /// What to measure [default: all]
    #[arg(value_enum)]
    sections: Vec<Which>,

    /// Seconds of a round
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    /// Rounds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,

    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// 16 publishers with batches of 32 events
    Batches,
    /// Single events over kept connections
    Single,
    /// From the request to a client's arrival
    Latency,
}

impl Which {
    fn measure(self, options: &Options) -> anyhow::Result<Section> {
        match self {
            Self::Batches => rates::batches(options),
            Self::Single => rates::single(options),
            Self::Latency => latency::measure(options),
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    program::end("publish", run(&options))
}

fn run(options: &Options) -> anyhow::Result<()> {
    if !program::measures("publish", "CPU and memory", options.bench || !options.sections.is_empty()) {
        return Ok(());
    }
    let all = [Which::Batches, Which::Single, Which::Latency];
    program::sections("publish", options.json, (&options.sections, &all), |section| section.measure(options))
}

/// The path of an empty journal on the disk that the project is on: a temporary folder may be in memory.
fn fresh(name: &str) -> anyhow::Result<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-publish");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    Ok(folder.join(name))
}

/// The real binary over an empty journal in a file, without a limit that a load would meet.
fn serve() -> anyhow::Result<Server> {
    let file = fresh("publish.db")?;
    let flags = ["--publish-rate", "1000000", "--admit-rate", "1000000"];
    Server::start_with(file.to_str().unwrap_or_default(), &flags)
}
