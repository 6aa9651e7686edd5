//! One stream to many clients: CPU a delivery and latency, steady and in a burst.

use std::time::{Duration, Instant};

use crate::child::{Contender, Measured, Order};
use crate::common::report::{Goal, Row, Section};
use crate::options::{Options, Role};
use crate::tally::Received;

/// After the handshakes, so that their tail is not measured.
const SETTLE: Duration = Duration::from_millis(300);

/// Latency from which on a server is behind, if the next message is due before: then it joins messages, and CPU a delivery
/// says nothing about a pace.
const BEHIND_MS: f64 = 50.0;

/// Clients for whom the goal is closest: it is that of the smallest and the largest crowds otherwise.
const USUAL: u32 = 1_000;

/// Messages that the joining floor puts into one write.
const JOINED: u64 = 16;

pub(crate) fn paced(options: &Options) -> anyhow::Result<Section> {
    let Options { rate, seconds, rounds, .. } = *options;
    let (clients, order) = (options.clients(), options.paced());
    let (mut floor, mut server) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        floor.push(run(Contender::own(Role::Floor), clients, order)?);
        server.push(run(Contender::own(Role::Server), clients, order)?);
    }
    let server_cpu = row("server, CPU a delivery", "µs", &server, Round::cpu);
    let floor_cpu = row("floor, CPU a delivery", "µs", &floor, Round::cpu);
    let mut ratio = Row::ratio("server to floor", &server_cpu, &floor_cpu);
    let p99 = row("server, latency p99", "ms", &server, |round| round.received.latency_ms(0.99));
    let kept_up = p99.median() <= BEHIND_MS.max(1e3 / rate);
    if kept_up {
        ratio = ratio.goal(Goal::AtMost(if clients == USUAL { 1.05 } else { 1.1 }));
    }
    Ok(Section {
        name: "paced",
        about: format!(
            "{clients} clients × {rate} messages/s × {seconds} s, {:.0} bytes each; every client got all {}",
            server[0].message_bytes(),
            order.messages
        ),
        rows: vec![
            ratio,
            server_cpu,
            floor_cpu,
            row("server, latency p50", "ms", &server, |round| round.received.latency_ms(0.5)),
            p99,
            row("server, latency p99.9", "ms", &server, |round| round.received.latency_ms(0.999)),
            row("floor, latency p99", "ms", &floor, |round| round.received.latency_ms(0.99)),
        ],
        note: (!kept_up).then(|| {
            format!(
                "p99 is above {BEHIND_MS} ms: this machine did not keep the pace, so the ratio is not judged"
            )
        }),
    })
}

pub(crate) fn burst(options: &Options) -> anyhow::Result<Section> {
    let (clients, order, rounds) = (options.clients(), options.burst(), options.rounds);
    let messages = order.messages;
    let (mut floor, mut joined, mut server) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        floor.push(run(Contender::own(Role::Floor), clients, order)?);
        server.push(run(Contender::own(Role::Server), clients, order)?);
        joined.push(run(Contender::own(Role::Floor), clients, Order { batch: JOINED, ..order })?);
    }
    let server_cpu = row("server, CPU a delivery", "µs", &server, Round::cpu);
    let floor_cpu = row("floor, one write a message", "µs", &floor, Round::cpu);
    Ok(Section {
        name: "burst",
        about: format!(
            "{clients} clients × {messages} messages at once, {:.0} bytes each; every client got all",
            server[0].message_bytes()
        ),
        rows: vec![
            Row::ratio("server to floor", &server_cpu, &floor_cpu).goal(Goal::AtMost(0.08)),
            server_cpu,
            floor_cpu,
            row("floor, 16 messages a write", "µs", &joined, Round::cpu),
            row("server, until the last arrived", "ms", &server, |round| round.received.latency_ms(1.0)),
            row("floor, until the last arrived", "ms", &floor, |round| round.wall.as_secs_f64() * 1e3),
        ],
        note: None,
    })
}

/// One publication to all clients of one process.
pub(crate) struct Round {
    cpu_us: f64,
    wall: Duration,
    pub(crate) received: Received,
}

impl Round {
    pub(crate) fn cpu(&self) -> f64 {
        self.cpu_us / self.received.delivered as f64
    }

    fn message_bytes(&self) -> f64 {
        self.received.bytes as f64 / self.received.delivered as f64
    }
}

pub(crate) fn run(contender: Contender, clients: u32, order: Order) -> anyhow::Result<Round> {
    run_on(contender, clients, order, None)
}

/// The same with the process on one core.
pub(crate) fn run_on(
    contender: Contender,
    clients: u32,
    order: Order,
    core: Option<u32>,
) -> anyhow::Result<Round> {
    let mut measured = Measured::start_on(contender, clients, core)?;
    let mut load = measured.connect(clients)?;
    load.settle(SETTLE)?;
    let before = measured.cpu_us()?;
    let start = Instant::now();
    measured.publish(order)?;
    let received = load.receive(order.messages)?;
    let wall = start.elapsed();
    // A moment for what is counted when a thread goes to sleep.
    load.settle(Duration::from_millis(20))?;
    Ok(Round { cpu_us: measured.cpu_us()? - before, wall, received })
}

fn row(name: &'static str, unit: &'static str, rounds: &[Round], figure: impl Fn(&Round) -> f64) -> Row {
    Row::new(name, unit, rounds.iter().map(figure).collect())
}
