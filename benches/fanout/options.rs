//! The command line of the benchmark, behind `cargo bench --bench fanout --`.

use clap::{Parser, ValueEnum};

use crate::child::{Order, Over};
use crate::common::report::Report;
use crate::peer::Peer;
use crate::sections;
use crate::sections::peers::Measure;

/// Clients, unless it is said.
const CLIENTS: u32 = 1_000;
const IDLE_PEERS: u32 = 8_000;

/// Measure the server against the floor.
#[derive(Debug, Parser)]
#[command(name = "fanout")]
pub(crate) struct Options {
    /// What to measure [default: paced, burst, idle, events, ready and many]
    #[arg(value_enum)]
    pub(crate) sections: Vec<Which>,

    /// WebSocket clients of paced, burst and idle [default: 1000, but 8000 where peers are idle]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    clients: Option<u32>,

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

    /// Which peers to measure beside floor and server [default: all]
    #[arg(long, value_enum, value_name = "NAME", value_delimiter = ',')]
    pub(crate) peer: Vec<Peer>,

    /// What to measure of peers [default: all]
    #[arg(long, value_enum, value_name = "NAME", value_delimiter = ',')]
    pub(crate) measure: Vec<Measure>,

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
    /// Paced with one core for the server and one for the load client, beside uWebSockets
    Cores,
    /// Clients of the event stream beside WebSocket clients
    Events,
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
    /// How the costs grow with the clients: 10, 100, 1,000 and, unless fewer are asked for, 8,000
    Growth,
    /// Paced, burst and idle of the servers of others too
    Peers,
    /// The same for clients of event streams
    EventPeers,
    /// The same over TLS, and clients that come back
    Tls,
    /// As cores, over TLS
    TlsCores,
}

impl Options {
    pub(crate) fn clients(&self) -> u32 {
        self.clients.unwrap_or(CLIENTS)
    }

    /// Clients of peers that are only there: so many that what is paid once vanishes.
    pub(crate) fn idle_clients(&self) -> u32 {
        self.clients.unwrap_or(IDLE_PEERS)
    }

    /// Messages at a steady rate.
    pub(crate) fn paced(&self) -> Order {
        Order { messages: ((self.rate * self.seconds) as u64).max(1), rate: self.rate, batch: 1 }
    }

    /// Messages all at once.
    pub(crate) fn burst(&self) -> Order {
        Order { messages: self.messages.max(1), rate: 0.0, batch: 1 }
    }

    /// The most that any section will have.
    pub(crate) fn most_clients(&self) -> u32 {
        if self.sections.iter().any(|which| matches!(which, Which::Peers | Which::EventPeers | Which::Tls)) {
            self.idle_clients()
        } else if self.sections.contains(&Which::Growth) {
            self.clients.unwrap_or(sections::growth::MOST)
        } else {
            self.clients()
        }
    }

    /// What was asked for, or what is worth half a minute each.
    pub(crate) fn sections(&self) -> Vec<Which> {
        if self.sections.is_empty() {
            return vec![Which::Paced, Which::Burst, Which::Idle, Which::Events, Which::Ready, Which::Many];
        }
        self.sections.clone()
    }
}

impl Which {
    pub(crate) fn measure(self, options: &Options, report: &mut Report) -> anyhow::Result<()> {
        let section = match self {
            Self::Paced => sections::fanout::paced(options)?,
            Self::Burst => sections::fanout::burst(options)?,
            Self::Idle => sections::idle::measure(options)?,
            Self::Cores => sections::cores::measure(Over::WebSocket, options)?,
            Self::TlsCores => sections::cores::measure(Over::Tls, options)?,
            Self::Events => sections::events::measure(options)?,
            Self::Ready => sections::ready::measure()?,
            Self::Pacing => sections::incidents::pacing(options)?,
            Self::Many => sections::incidents::many(options)?,
            Self::Stalled => sections::faults::stalled(options)?,
            Self::Connects => sections::faults::connects(options)?,
            Self::Storm => sections::storm::measure(options)?,
            Self::Growth => sections::growth::measure(options)?,
            Self::Peers => return compare(Over::WebSocket, options, report),
            Self::EventPeers => return compare(Over::Events, options, report),
            Self::Tls => return compare(Over::Tls, options, report),
        };
        report.add(section);
        Ok(())
    }
}

fn compare(over: Over, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    report.compare(&sections::peers::measure(over, options)?);
    Ok(())
}
