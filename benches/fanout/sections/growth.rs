//! How the costs of clients grow with their number.

use crate::child::{Contender, Order};
use crate::common::report::{Goal, Section};
use crate::common::slope::Growth;
use crate::options::{Options, Role};
use crate::sections::{fanout, idle};

/// The numbers of clients, up to the one that was asked for.
const SIZES: [u32; 4] = [10, 100, 1_000, 8_000];

/// The most, unless it is said.
pub(crate) const MOST: u32 = 8_000;

/// Deliveries a second, whatever the number of clients: the machine keeps up with them.
const DELIVERIES: f64 = 20_000.0;

/// The most messages a second.
const RATE: f64 = 1_000.0;

/// A figure that does not grow, with the noise of a machine.
const FLAT: Goal = Goal::AtMost(0.1);

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let server = Contender::own(Role::Server);
    let floor = Contender::own(Role::Floor);
    let mut cpu = Growth::new("server, CPU a delivery", "µs");
    let mut ratio = Growth::new("… to the floor's", "×");
    let mut kib = Growth::new("server, RSS a client", "KiB");
    let mut handshake = Growth::new("server, CPU a handshake", "µs");
    let most = options.most_clients();
    let sizes: Vec<u32> = SIZES.into_iter().filter(|size| *size <= most).collect();
    for clients in sizes.iter().copied() {
        let rate = (DELIVERIES / f64::from(clients)).min(RATE);
        let order = Order { messages: (rate * options.seconds).ceil() as u64, rate, batch: 1 };
        let size = f64::from(clients);
        let (mut ours, mut least, mut idles) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            least.push(fanout::run(floor, clients, order)?.cpu());
            ours.push(fanout::run(server, clients, order)?.cpu());
            idles.push(idle::run(server, clients)?);
        }
        let (ours, least) = (median(ours), median(least));
        cpu.at(size, ours);
        ratio.at(size, ours / least);
        kib.at(size, median(idles.iter().map(|idle| idle.kib).collect()));
        handshake.at(size, median(idles.iter().map(|idle| idle.handshake_us).collect()));
    }
    let rows = [
        cpu.rows("CPU a delivery, exponent", Goal::AtMost(0.15)),
        ratio.rows("… to the floor's, exponent", FLAT),
        kib.rows("RSS a client, exponent", FLAT),
        handshake.rows("CPU a handshake, exponent", FLAT),
    ];
    Ok(Section {
        name: "growth",
        about: format!(
            "{sizes:?} clients, {DELIVERIES} deliveries a second; each figure from the fewest clients to the most"
        ),
        rows: rows.into_iter().flatten().collect(),
        note: None,
    })
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
