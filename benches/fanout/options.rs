//! The command line of the benchmark, behind `cargo bench --bench fanout --`.

use clap::{Parser, ValueEnum};

use crate::common::report::Section;
use crate::sections;

/// Measure the server against the floor.
#[derive(Debug, Parser)]
#[command(name = "fanout")]
pub(crate) struct Options {
    /// What to measure [default: paced, burst, idle, ready and many]
    #[arg(value_enum)]
    pub(crate) sections: Vec<Which>,

    /// WebSocket clients of paced, burst and idle
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub(crate) clients: u32,

    /// Messages a second in paced
    #[arg(long, default_value_t = 100.0)]
    pub(crate) rate: f64,

    /// Length of a round of paced
    #[arg(long, default_value_t = 5.0)]
    pub(crate) seconds: f64,

    /// Messages of a round of burst
    #[arg(long, default_value_t = 1_000)]
    pub(crate) messages: u64,

    /// Rounds of paced, burst and idle; in each, floor and server take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// Speed of the incidents [default: 1 in pacing, 10 in many]
    #[arg(long)]
    pub(crate) speed: Option<f64>,

    /// Incidents at once in many
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) incidents: u32,

    /// Print one JSON object instead of the table
    #[arg(long)]
    pub(crate) json: bool,

    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    pub(crate) bench: bool,

    /// What this process is, when it is not the load client
    #[arg(long, hide = true, value_enum)]
    pub(crate) role: Option<Role>,
}

/// The processes that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// One thread that does nothing but write.
    Floor,
    /// `incident::server::Server` over a journal in memory.
    Server,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// Messages at a steady rate
    Paced,
    /// All messages at once
    Burst,
    /// Clients that are only there
    Idle,
    /// From the start of the binary to its ready line
    Ready,
    /// One incident against the clock
    Pacing,
    /// Many incidents at once
    Many,
    /// Clients beside some that do not read
    Stalled,
    /// Clients beside thousands that come and go
    Connects,
    /// Thousands that return at once
    Storm,
}

impl Options {
    /// What was asked for, or what is worth half a minute each.
    pub(crate) fn sections(&self) -> Vec<Which> {
        if self.sections.is_empty() {
            return vec![Which::Paced, Which::Burst, Which::Idle, Which::Ready, Which::Many];
        }
        self.sections.clone()
    }
}

impl Which {
    pub(crate) fn measure(self, options: &Options) -> anyhow::Result<Section> {
        match self {
            Self::Paced => sections::fanout::paced(options),
            Self::Burst => sections::fanout::burst(options),
            Self::Idle => sections::idle::measure(options),
            Self::Ready => sections::ready::measure(),
            Self::Pacing => sections::incidents::pacing(options),
            Self::Many => sections::incidents::many(options),
            Self::Stalled => sections::faults::stalled(options),
            Self::Connects => sections::faults::connects(options),
            Self::Storm => sections::storm::measure(options),
        }
    }
}
