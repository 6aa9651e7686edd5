//! What three servers spend on their clients, next to one that has all of them.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::common::publisher::Publisher;
use crate::common::real::Server;
use crate::common::report::{Goal, Row, Section};
use crate::servers::{Servers, THREE};
use crate::{Options, hubs};

/// Events a second in the first half of a round, in requests of so many.
const RATE: u64 = 200;
const REQUEST: u64 = 10;

/// Events of the second half, as fast as they are stored.
const BURST: u64 = 2_000;
const BURST_REQUEST: u64 = 100;

/// What a round found.
struct Found {
    /// Microseconds of all servers per delivery, at a steady rate.
    cpu_us: f64,
    /// The least CPU of a server to an equal part of all.
    least: f64,
    /// Deliveries a second of the burst.
    rate: f64,
}

pub(crate) fn measure(options: &Options, servers: &mut Servers) -> anyhow::Result<Section> {
    let (mut one, mut three) = (Vec::new(), Vec::new());
    for number in 0..options.rounds {
        for (many, found) in [(1, &mut one), (THREE, &mut three)] {
            let stream = format!("share-{number}-{many}");
            found.push(round(options, &servers.location(&stream), many)?);
            servers.delete(&stream)?;
        }
    }
    let row = |name, unit, all: &[Found], figure: fn(&Found) -> f64| {
        Row::new(name, unit, all.iter().map(figure).collect())
    };
    let (alone, together) = (
        row("CPU per delivery, one server", "µs", &one, |found| found.cpu_us),
        row("CPU per delivery, three", "µs", &three, |found| found.cpu_us),
    );
    let (fast_alone, fast_together) = (
        row("deliveries a second, one server", "/s", &one, |found| found.rate),
        row("deliveries a second, three", "/s", &three, |found| found.rate),
    );
    Ok(Section {
        name: "share",
        about: format!(
            "{} clients × {RATE} events a second × {} s, then {BURST} events at once",
            options.clients, options.seconds
        ),
        rows: vec![
            Row::ratio("CPU per delivery, three to one", &together, &alone).goal(Goal::AtMost(1.1)),
            row("least CPU of a server to a third", "×", &three, |found| found.least),
            Row::ratio("deliveries a second, three to one", &fast_together, &fast_alone),
            alone,
            together,
            fast_alone,
            fast_together,
        ],
        note: None,
    })
}

fn round(options: &Options, location: &str, many: usize) -> anyhow::Result<Found> {
    let mut all = hubs::start_all(location, many)?;
    let holder = hubs::holder(&all)?;
    let mut publisher = Publisher::start(all[holder].port, 1)?;
    // All clients begin with the first event, and must get every one, without a gap.
    let paced = 1 + RATE / REQUEST * options.seconds * REQUEST;
    let clients = (0..options.clients as usize).map(|place| all[place % many].count("?after=0"));
    let clients = clients.collect::<anyhow::Result<Vec<_>>>()?;
    let both = Barrier::new(clients.len() + 1);
    thread::scope(|scope| {
        let readers: Vec<_> = clients
            .into_iter()
            .map(|mut client| {
                let both = &both;
                scope.spawn(move || {
                    let read = client.up_to(paced);
                    both.wait();
                    // The others wait for this one, whatever happened.
                    both.wait();
                    read.and_then(|()| client.up_to(paced + BURST))
                })
            })
            .collect();
        let before = cpu(&all)?;
        let published = steadily(&mut publisher, options.seconds);
        if published.is_err() {
            // Nobody waits for what does not come.
            all.clear();
        }
        both.wait();
        let after = cpu(&all).unwrap_or_default();
        let (began, mut sent) = (Instant::now(), published);
        both.wait();
        for _ in 0..BURST / BURST_REQUEST {
            sent = sent.and_then(|()| publisher.publish(BURST_REQUEST));
        }
        if sent.is_err() {
            // Nobody waits for what does not come.
            all.clear();
        }
        for reader in readers {
            reader.join().ok().context("a client panicked")??;
        }
        sent?;
        let took = began.elapsed().as_secs_f64();
        let spent: Vec<f64> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
        let total: f64 = spent.iter().sum();
        let least = spent.iter().copied().fold(f64::INFINITY, f64::min);
        let clients = f64::from(options.clients);
        Ok(Found {
            cpu_us: total / (clients * (paced - 1) as f64),
            least: least * many as f64 / total,
            rate: clients * BURST as f64 / took,
        })
    })
}

fn cpu(all: &[Server]) -> anyhow::Result<Vec<f64>> {
    all.iter().map(|server| server.process.cpu_us()).collect()
}

/// Publishes at the rate.
fn steadily(publisher: &mut Publisher, seconds: u64) -> anyhow::Result<()> {
    let start = Instant::now();
    for request in 0..(RATE / REQUEST * seconds) as u32 {
        let due = start + Duration::from_secs(1) * request * REQUEST as u32 / RATE as u32;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        publisher.publish(REQUEST)?;
    }
    Ok(())
}
