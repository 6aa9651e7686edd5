//! From append to delivery, over a file and over memory: what waiting for the disk adds.

use crate::common::real::Server;
use crate::common::report::{Goal, Row, Section};
use crate::{Options, past};

/// Incidents at once, and how fast they are played: about 180 events a second.
const INCIDENTS: u64 = 30;
const SPEED: f64 = 10.0;

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let (mut file, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        memory.push(round("memory")?);
        file.push(round(past::fresh("latency.db")?.to_str().unwrap_or_default())?);
    }
    let row = |name, rounds: &[Quantiles], figure: fn(&Quantiles) -> f64| {
        Row::new(name, "ms", rounds.iter().map(figure).collect())
    };
    let pairs = file.iter().zip(&memory).map(|(file, memory)| file.p99 - memory.p99);
    Ok(Section {
        name: "latency",
        about: format!(
            "{INCIDENTS} incidents at speed {SPEED}, from an event's time to its arrival at one client"
        ),
        rows: vec![
            Row::new("p99, file more than memory", "ms", pairs.collect()).goal(Goal::AtMost(10.0)),
            row("file, p50", &file, |round| round.p50),
            row("file, p99", &file, |round| round.p99),
            row("memory, p50", &memory, |round| round.p50),
            row("memory, p99", &memory, |round| round.p99),
        ],
        note: None,
    })
}

struct Quantiles {
    p50: f64,
    p99: f64,
}

fn round(journal: &str) -> anyhow::Result<Quantiles> {
    let waits = Server::start(journal)?.waits(INCIDENTS, SPEED)?;
    let at = |share: f64| waits.get((waits.len() as f64 * share) as usize).copied().unwrap_or_default();
    Ok(Quantiles { p50: at(0.5), p99: at(0.99) })
}
