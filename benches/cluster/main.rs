//! What several servers with one stream cost, and how long a death stays noticeable: see `benches/README.md`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a benchmark that fails says so and ends")]

mod append;
#[path = "../common/mod.rs"]
mod common;
mod deaths;
mod hubs;
mod latency;
mod servers;
mod share;
mod start;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use common::program;
use common::report::Section;
use servers::Servers;

/// Measure the journal on three nats-servers, and servers of incident over it.
#[derive(Debug, Parser)]
#[command(name = "cluster")]
struct Options {
    /// What to measure [default: all]
    #[arg(value_enum)]
    sections: Vec<Which>,

    /// Writers of append, each waiting for its commit
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    writers: u32,

    /// Events of the stream that start opens, in incidents of 200
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    events: u64,

    /// How often takeover and leader kill
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,

    /// Clients of share
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(3..=2_000))]
    clients: u32,

    /// Seconds of a round of append, latency and share
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    /// Rounds of append, latency and share
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
    /// Appends, next to a bare publisher of atomic batches
    Append,
    /// From a request to its answer at 200 events a second
    Latency,
    /// The server that plays is killed
    Takeover,
    /// The nats-server that leads is killed
    Leader,
    /// Starting over a large stream
    Start,
    /// Clients of three servers, next to those of one
    Share,
}

impl Which {
    fn measure(self, options: &Options, servers: &mut Servers) -> anyhow::Result<Section> {
        match self {
            Self::Append => append::measure(options, servers),
            Self::Latency => latency::measure(options, servers),
            Self::Takeover => deaths::takeover(options, servers),
            Self::Leader => deaths::leader(options, servers),
            Self::Start => start::measure(options, servers),
            Self::Share => share::measure(options, servers),
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    program::end("cluster", run(&options))
}

fn run(options: &Options) -> anyhow::Result<()> {
    if !program::measures("cluster", "CPU and memory", options.bench || !options.sections.is_empty()) {
        return Ok(());
    }
    let all = [Which::Append, Which::Latency, Which::Takeover, Which::Leader, Which::Start, Which::Share];
    let mut servers = Servers::start()?;
    program::sections("cluster", options.json, (&options.sections, &all), |section| {
        section.measure(options, &mut servers)
    })
}
