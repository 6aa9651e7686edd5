//! From the beginning of a request until its event arrives at a client, at a steady rate.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::common::report::{Goal, Row, Section};
use crate::publisher::Publisher;
use crate::{Options, serve};

/// Events a second, and the publishers that share them.
const RATE: u32 = 1_000;
const PUBLISHERS: u32 = 20;

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let (mut p50, mut p99, mut most, mut late) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let (waits, behind) = round(options.seconds)?;
        let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
        p50.push(at(0.5));
        p99.push(at(0.99));
        most.push(at(1.0));
        late.push(behind);
    }
    Ok(Section {
        name: "latency",
        about: format!("{RATE} events a second from {PUBLISHERS} publishers × {} s", options.seconds),
        rows: vec![
            Row::new("from request to arrival, p99", "ms", p99).goal(Goal::AtMost(15.0)),
            Row::new("from request to arrival, p50", "ms", p50),
            Row::new("from request to arrival, longest", "ms", most),
            Row::new("requests behind their time, longest", "ms", late),
        ],
        note: None,
    })
}

/// The times from each request to its arrival, sorted, and how late a request was sent at most, in milliseconds. A time counts
/// from when the request was due: what waits for the answer of the one before is not left out.
fn round(seconds: u64) -> anyhow::Result<(Vec<f64>, f64)> {
    let server = serve()?;
    let port = server.port;
    let mut all: Vec<Publisher> =
        (0..PUBLISHERS).map(|number| Publisher::start(port, number)).collect::<Result<_, _>>()?;
    let mut follower = server.follow("")?;
    let start = Instant::now() + Duration::from_millis(50);
    let each = u64::from(RATE / PUBLISHERS) * seconds;
    let due = |publisher: u32, number: u64| {
        let place = number as f64 + f64::from(publisher) / f64::from(PUBLISHERS);
        start + Duration::from_secs_f64(place * f64::from(PUBLISHERS) / f64::from(RATE))
    };
    let (behind, waits) = thread::scope(|scope| {
        let running: Vec<_> = all
            .iter_mut()
            .zip(0..)
            .map(|(publisher, name)| {
                scope.spawn(move || {
                    let mut behind = Duration::ZERO;
                    for number in 0..each {
                        let due = due(name, number);
                        thread::sleep(due.saturating_duration_since(Instant::now()));
                        behind = behind.max(due.elapsed());
                        publisher.publish(1)?;
                    }
                    anyhow::Ok(behind)
                })
            })
            .collect();
        let names: HashMap<String, u32> =
            (0..PUBLISHERS).map(|name| (Publisher::subject(name), name)).collect();
        let mut waits = Vec::new();
        let wanted = each * u64::from(PUBLISHERS);
        while (waits.len() as u64) < wanted {
            let (_, event, arrived) = follower.next()?;
            let name = names.get(&event.subject).context("an event of another incident")?;
            // The first event of each incident was sent before.
            let Some(number) = event.index.checked_sub(2) else { continue };
            waits.push(arrived.saturating_duration_since(due(*name, number)).as_secs_f64() * 1e3);
        }
        let behind =
            running.into_iter().map(|running| running.join().ok().context("a publisher panicked")?);
        let behind: Vec<Duration> = behind.collect::<anyhow::Result<_>>()?;
        anyhow::Ok((behind.into_iter().max().unwrap_or_default(), waits))
    })?;
    let mut waits = waits;
    ensure!(!waits.is_empty(), "no event arrived");
    waits.sort_by(f64::total_cmp);
    Ok((waits, behind.as_secs_f64() * 1e3))
}
