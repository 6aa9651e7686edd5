//! The same share of the machine for each server: server and load client have one core each.

use std::process::Command;

use anyhow::{Context, ensure};

use super::fanout::{self, Round};
use crate::child::{Contender, Over};
use crate::common::report::{Goal, Row, Section};
use crate::options::{Options, Role};
use crate::peer::Peer;

/// The core of the server …
pub(crate) const SERVER: u32 = 0;

/// … and that of the load client, which has one thread.
const CLIENT: u32 = 1;

pub(crate) fn measure(over: Over, options: &Options) -> anyhow::Result<Section> {
    let before = affinity()?;
    pin(&CLIENT.to_string())?;
    let found = rounds(over, options);
    // The sections that follow have all cores again.
    pin(&before)?;
    found
}

fn rounds(over: Over, options: &Options) -> anyhow::Result<Section> {
    let (clients, order) = (options.clients(), options.paced());
    let peer = Peer::UWebSockets;
    let has_peer = peer.version().is_some();
    let run = |contender: Contender| fanout::run_on(contender.over(over), clients, order, Some(SERVER));
    let (mut floor, mut server, mut other) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        floor.push(run(Contender::own(Role::Floor))?);
        server.push(run(Contender::own(Role::Server))?);
        if has_peer {
            let round = run(Contender::peer(peer))?;
            let (lost, cut) = (round.received.lost, round.received.cut);
            ensure!((lost, cut) == (0, 0), "uWebSockets lost {lost} messages and {cut} clients");
            other.push(round);
        }
    }
    let row = |name, unit, rounds: &[Round], figure: fn(&Round) -> f64| {
        Row::new(name, unit, rounds.iter().map(figure).collect())
    };
    let p99 = |round: &Round| round.received.latency_ms(0.99);
    let p50 = |round: &Round| round.received.latency_ms(0.5);
    let server_p99 = row("server, latency p99", "ms", &server, p99);
    let server_cpu = row("server, CPU a delivery", "µs", &server, Round::cpu);
    let mut rows = Vec::new();
    if has_peer {
        let peer_p99 = row("uWebSockets, latency p99", "ms", &other, p99);
        let peer_cpu = row("uWebSockets, CPU a delivery", "µs", &other, Round::cpu);
        rows.push(Row::ratio("p99, server to uWebSockets", &server_p99, &peer_p99).goal(Goal::AtMost(1.0)));
        rows.push(Row::ratio("CPU, server to uWebSockets", &server_cpu, &peer_cpu));
        rows.extend([peer_p99, row("uWebSockets, latency p50", "ms", &other, p50), peer_cpu]);
    }
    rows.extend([
        server_p99,
        row("server, latency p50", "ms", &server, p50),
        server_cpu,
        row("floor, latency p99", "ms", &floor, p99),
        row("floor, CPU a delivery", "µs", &floor, Round::cpu),
    ]);
    Ok(Section {
        name: if over == Over::Tls { "tls-cores" } else { "cores" },
        about: format!(
            "{clients} clients × {} messages/s × {} s; each server with one thread for clients on core {SERVER}, the load \
             client on core {CLIENT}",
            options.rate, options.seconds
        ),
        rows,
        note: (!has_peer).then(|| {
            format!(
                "uWebSockets is not installed, so nothing is judged: benches/peers/install {}",
                peer.name()
            )
        }),
    })
}

/// The cores of this process, as `taskset` writes them.
fn affinity() -> anyhow::Result<String> {
    let id = std::process::id().to_string();
    let output =
        Command::new("taskset").args(["-pc", &id]).output().context("taskset (util-linux) is needed")?;
    ensure!(output.status.success(), "taskset: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let list = text.trim().rsplit(": ").next().context("taskset says which cores")?;
    Ok(list.to_owned())
}

/// Lets this process, which has one thread, run on these cores only.
fn pin(cores: &str) -> anyhow::Result<()> {
    let id = std::process::id().to_string();
    let output = Command::new("taskset").args(["-pc", cores, &id]).output()?;
    ensure!(output.status.success(), "two cores are needed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
