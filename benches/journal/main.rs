//! What durability costs, next to a loop that writes and fsyncs: see `benches/README.md`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a benchmark that fails says so and ends")]

#[path = "../common/mod.rs"]
mod common;
mod past;
mod sections;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use common::program;
use common::report::Section;

/// Measure the journal against a bare loop and against memory.
#[derive(Debug, Parser)]
#[command(name = "journal")]
struct Options {
    /// What to measure [default: all but growth and memory, which take minutes]
    #[arg(value_enum)]
    sections: Vec<Which>,

    /// Events of the journal that is replayed, started over and shortened, and the most of growth
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10_000..))]
    events: u64,

    /// Writers of append, each waiting for its commit
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    writers: u32,

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
    /// Durable appends
    Append,
    /// From append to delivery
    Latency,
    /// A client that is far behind
    Replay,
    /// Starting over a large file
    Start,
    /// Appends while many old events are deleted
    Retention,
    /// How the costs grow with the events that are kept
    Growth,
    /// What a server holds after many events
    Memory,
}

impl Which {
    fn measure(self, options: &Options) -> anyhow::Result<Section> {
        match self {
            Self::Append => sections::append::measure(options),
            Self::Latency => sections::latency::measure(options),
            Self::Replay => sections::replay::measure(options),
            Self::Start => sections::start::measure(options),
            Self::Retention => sections::retention::measure(options),
            Self::Growth => sections::growth::measure(options),
            Self::Memory => sections::memory::measure(options),
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    program::end("journal", run(&options))
}

fn run(options: &Options) -> anyhow::Result<()> {
    if !program::measures("journal", "CPU and memory", options.bench || !options.sections.is_empty()) {
        return Ok(());
    }
    let usual = [Which::Append, Which::Latency, Which::Replay, Which::Start, Which::Retention];
    program::sections("journal", options.json, (&options.sections, &usual), |section| {
        section.measure(options)
    })
}
