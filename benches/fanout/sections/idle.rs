//! Clients that are only there: what one costs to let in, and to have.

use std::time::Duration;

use crate::child::{Measured, Order};
use crate::common::report::{Goal, Row, Section};
use crate::load::Load;
use crate::options::{Options, Role};

/// After the handshakes: greetings are written, buffers given back.
const SETTLE: Duration = Duration::from_millis(500);

#[derive(Default)]
struct Idle {
    kib: Vec<f64>,
    handshake_us: Vec<f64>,
    /// The last client's wait for one message to all of them.
    one_to_all_ms: Vec<f64>,
}

impl Idle {
    fn round(&mut self, role: Role, clients: u32) -> anyhow::Result<()> {
        let mut measured = Measured::start(role, clients)?;
        let (rss, cpu) = (measured.rss_kib()?, measured.cpu_us()?);
        let mut load = Load::connect(measured.port, clients)?;
        load.settle(SETTLE)?;
        let clients = f64::from(clients);
        self.kib.push((measured.rss_kib()? - rss) / clients);
        self.handshake_us.push((measured.cpu_us()? - cpu) / clients);
        measured.publish(Order { messages: 1, rate: 0.0, batch: 1 })?;
        self.one_to_all_ms.push(load.receive(1)?.latency_ms(0.99));
        Ok(())
    }
}

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let (mut floor, mut server) = (Idle::default(), Idle::default());
    for _ in 0..options.rounds {
        floor.round(Role::Floor, options.clients)?;
        server.round(Role::Server, options.clients)?;
    }
    Ok(Section {
        name: "idle",
        about: format!("{} clients connect and wait", options.clients),
        rows: vec![
            Row::new("server, RSS a client", "KiB", server.kib).goal(Goal::AtMost(2.5)),
            Row::new("server, CPU a handshake", "µs", server.handshake_us).goal(Goal::AtMost(75.0)),
            Row::new("floor, CPU a handshake", "µs", floor.handshake_us),
            Row::new("server, one message to all, p99", "ms", server.one_to_all_ms),
            Row::new("floor, one message to all, p99", "ms", floor.one_to_all_ms),
        ],
        note: None,
    })
}
