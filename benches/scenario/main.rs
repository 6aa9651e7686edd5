//! What it costs to compile scenarios and to play many of them: see `benches/README.md`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a benchmark that fails says so and ends")]

#[path = "../common/mod.rs"]
mod common;
mod compile;
mod growth;
mod library;
mod many;
mod written;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use common::program;
use common::report::Section;
use written::Size;

/// Measure the compiler of scenarios, and the player with many of them.
#[derive(Debug, Parser)]
#[command(name = "scenario")]
struct Options {
    /// What to measure [default: all]
    #[arg(value_enum)]
    sections: Vec<Which>,

    /// Incidents at once, as many as a server plays or fewer
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    incidents: u32,

    /// Seconds for which the incidents are watched
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=170))]
    seconds: u32,

    /// Rounds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,

    /// Compile a scenario of this size once, and print how long it took and how much memory
    #[arg(long, hide = true)]
    compile: Option<Size>,

    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// A file of 1 MB with 10,000 steps
    Large,
    /// How the time grows with steps and samples
    Slope,
    /// The shipped scenarios, validated over real sockets
    Library,
    /// Many incidents at once, at real speed
    Many,
    /// What an event costs while more incidents are open
    Growth,
}

impl Which {
    fn measure(self, options: &Options) -> anyhow::Result<Section> {
        match self {
            Self::Large => compile::large(options.rounds),
            Self::Slope => compile::slope(options.rounds),
            Self::Library => library::measure(options.rounds.min(3)),
            Self::Many => many::measure(options.incidents, options.seconds),
            Self::Growth => growth::measure(),
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let ran = match options.compile {
        Some(size) => compile::once(size),
        None => run(&options),
    };
    program::end("scenario", ran)
}

fn run(options: &Options) -> anyhow::Result<()> {
    if !program::measures("scenario", "CPU and memory", options.bench || !options.sections.is_empty()) {
        return Ok(());
    }
    let all = [Which::Large, Which::Slope, Which::Library, Which::Many, Which::Growth];
    program::sections("scenario", options.json, (&options.sections, &all), |section| section.measure(options))
}
