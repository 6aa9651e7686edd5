//! From a request to its answer, which comes when its event is stored by a majority and read back.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::common::publisher::Publisher;
use crate::common::report::{Goal, Row, Section};
use crate::servers::Servers;
use crate::{Options, hubs};

/// Events a second, and the publishers that share them.
const RATE: u32 = 200;
const PUBLISHERS: u32 = 20;

pub(crate) fn measure(options: &Options, servers: &mut Servers) -> anyhow::Result<Section> {
    let (mut p50, mut p99, mut most) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..options.rounds {
        let stream = format!("latency-{number}");
        let waits = round(&servers.location(&stream), options.seconds)?;
        servers.delete(&stream)?;
        let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
        p50.push(at(0.5));
        p99.push(at(0.99));
        most.push(at(1.0));
    }
    Ok(Section {
        name: "latency",
        about: format!("{RATE} events a second from {PUBLISHERS} publishers × {} s", options.seconds),
        rows: vec![
            Row::new("from request to answer, p99", "ms", p99).goal(Goal::AtMost(50.0)),
            Row::new("from request to answer, p50", "ms", p50),
            Row::new("from request to answer, longest", "ms", most),
        ],
        note: None,
    })
}

/// The times from each request to its answer in milliseconds, sorted. They count from when a request was due: what waits for
/// the answer of the one before is not left out.
fn round(location: &str, seconds: u64) -> anyhow::Result<Vec<f64>> {
    let hub = hubs::start(location)?;
    let all = (0..PUBLISHERS).map(|number| Publisher::start(hub.port, number));
    let all = all.collect::<anyhow::Result<Vec<_>>>()?;
    let start = Instant::now() + Duration::from_millis(50);
    let each = u64::from(RATE / PUBLISHERS) * seconds;
    thread::scope(|scope| {
        let running: Vec<_> = all
            .into_iter()
            .zip(0..)
            .map(|(mut publisher, place)| {
                scope.spawn(move || {
                    let mut waits = Vec::new();
                    for number in 0..each {
                        let turn = number as f64 + f64::from(place) / f64::from(PUBLISHERS);
                        let due =
                            start + Duration::from_secs_f64(turn * f64::from(PUBLISHERS) / f64::from(RATE));
                        thread::sleep(due.saturating_duration_since(Instant::now()));
                        publisher.publish(1)?;
                        waits.push(due.elapsed().as_secs_f64() * 1e3);
                    }
                    anyhow::Ok(waits)
                })
            })
            .collect();
        let mut waits = Vec::new();
        for publisher in running {
            waits.extend(publisher.join().ok().context("a publisher panicked")??);
        }
        waits.sort_by(f64::total_cmp);
        Ok(waits)
    })
}
