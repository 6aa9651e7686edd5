//! Clients that are only there: what one costs to let in, and to have.

use std::time::{Duration, Instant};

use crate::child::{Contender, Measured, Order};
use crate::common::report::{Goal, Row, Section};
use crate::options::{Options, Role};
use crate::tally::Received;

/// After the handshakes: greetings are written, buffers given back.
pub(super) const SETTLE: Duration = Duration::from_millis(500);

/// After all clients have left: nothing of that is measured.
const GONE: Duration = Duration::from_secs(2);

/// Clients of one process that came, waited, and got one message.
pub(crate) struct Idle {
    /// A client.
    pub(crate) kib: f64,
    pub(crate) handshake_us: f64,
    /// From the first connection until all of them were let in.
    pub(crate) let_in: Duration,
    pub(crate) one_to_all: Received,
}

pub(crate) fn run(contender: Contender, clients: u32) -> anyhow::Result<Idle> {
    let mut measured = Measured::start_any(contender, clients)?;
    let (rss, cpu) = (measured.rss_kib()?, measured.cpu_us()?);
    let start = Instant::now();
    let mut load = measured.connect(clients)?;
    let let_in = start.elapsed();
    load.settle(SETTLE)?;
    let clients = f64::from(clients);
    let kib = (measured.rss_kib()? - rss) / clients;
    let handshake_us = (measured.cpu_us()? - cpu) / clients;
    measured.publish(Order { messages: 1, rate: 0.0, batch: 1 })?;
    Ok(Idle { kib, handshake_us, let_in, one_to_all: load.receive(1)? })
}

/// Clients that were there before, with the tickets that they got then.
pub(crate) struct Back {
    pub(crate) handshake_us: f64,
    /// Per cent of them that resumed their sessions.
    pub(crate) resumed: f64,
    pub(crate) one_to_all: Received,
}

pub(crate) fn come_back(contender: Contender, clients: u32) -> anyhow::Result<Back> {
    let mut measured = Measured::start_any(contender, clients)?;
    let visitors = measured.visitors(clients);
    let mut load = measured.connect_with(clients, &visitors)?;
    load.settle(SETTLE)?;
    drop(load);
    std::thread::sleep(GONE);
    let cpu = measured.cpu_us()?;
    let mut load = measured.connect_with(clients, &visitors)?;
    load.settle(SETTLE)?;
    let clients = f64::from(clients);
    let handshake_us = (measured.cpu_us()? - cpu) / clients;
    let resumed = load.resumed() as f64 * 100.0 / clients;
    measured.publish(Order { messages: 1, rate: 0.0, batch: 1 })?;
    Ok(Back { handshake_us, resumed, one_to_all: load.receive(1)? })
}

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let clients = options.clients();
    let (mut floor, mut server) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        floor.push(run(Contender::own(Role::Floor), clients)?);
        server.push(run(Contender::own(Role::Server), clients)?);
    }
    let let_in = |idle: &Idle| idle.let_in.as_secs_f64() * 1e3;
    let p99 = |idle: &Idle| idle.one_to_all.latency_ms(0.99);
    Ok(Section {
        name: "idle",
        about: format!("{clients} clients connect and wait"),
        rows: vec![
            Row::new("server, RSS a client", "KiB", each(&server, |idle| idle.kib)).goal(Goal::AtMost(2.5)),
            Row::new("server, CPU a handshake", "µs", each(&server, |idle| idle.handshake_us))
                .goal(Goal::AtMost(75.0)),
            Row::new("floor, CPU a handshake", "µs", each(&floor, |idle| idle.handshake_us)),
            Row::new("server, all let in after", "ms", each(&server, let_in)),
            Row::new("floor, all let in after", "ms", each(&floor, let_in)),
            Row::new("server, one message to all, p99", "ms", each(&server, p99)),
            Row::new("floor, one message to all, p99", "ms", each(&floor, p99)),
        ],
        note: None,
    })
}

fn each(rounds: &[Idle], figure: impl Fn(&Idle) -> f64) -> Vec<f64> {
    rounds.iter().map(figure).collect()
}
