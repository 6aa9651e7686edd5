//! Clients of the event stream: what they cost beside the same number of WebSocket clients.

use std::time::Duration;

use super::fanout::{self, Round};
use super::idle::SETTLE;
use crate::child::{Contender, Measured, Order};
use crate::common::report::{Goal, Row, Section};
use crate::options::{Options, Role};

/// After all clients have left: their memory is given back.
const GONE: Duration = Duration::from_secs(5);

/// What clients hold that only wait, and what stays when they have left.
struct Held {
    /// A client.
    kib: f64,
    /// All of it, afterwards.
    kept_mib: f64,
}

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let clients = options.clients();
    let (mut websocket, mut events, mut burst, mut held) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        websocket.push(fanout::run(Contender::own(Role::Server), clients, options.paced())?.cpu());
        events.push(fanout::run(Contender::events(), clients, options.paced())?);
        burst.push(fanout::run(Contender::events(), clients, options.burst())?.cpu());
        held.push(hold(clients)?);
    }
    let websocket = Row::new("WebSocket, CPU a delivery", "µs", websocket);
    let cpu = Row::new("event stream, CPU a delivery", "µs", events.iter().map(Round::cpu).collect());
    let p99 = events.iter().map(|round| round.received.latency_ms(0.99)).collect();
    Ok(Section {
        name: "events",
        about: format!("{clients} clients of /events × {} messages/s, beside as many of /ws", options.rate),
        rows: vec![
            Row::ratio("event stream to WebSocket", &cpu, &websocket).goal(Goal::AtMost(1.1)),
            cpu,
            websocket,
            Row::new("event stream, latency p99", "ms", p99),
            Row::new("event stream, burst, CPU a delivery", "µs", burst),
            Row::new("RSS a client", "KiB", held.iter().map(|held| held.kib).collect())
                .goal(Goal::AtMost(1.5)),
            Row::new(
                "RSS that stays when all have left",
                "MiB",
                held.iter().map(|held| held.kept_mib).collect(),
            )
            .goal(Goal::AtMost(2.0)),
        ],
        note: None,
    })
}

fn hold(clients: u32) -> anyhow::Result<Held> {
    let mut measured = Measured::start_any(Contender::events(), clients)?;
    let before = measured.rss_kib()?;
    let mut load = measured.connect(clients)?;
    load.settle(SETTLE)?;
    let kib = (measured.rss_kib()? - before) / f64::from(clients);
    measured.publish(Order { messages: 1, rate: 0.0, batch: 1 })?;
    load.receive(1)?;
    drop(load);
    std::thread::sleep(GONE);
    Ok(Held { kib, kept_mib: (measured.rss_kib()? - before) / 1024.0 })
}
