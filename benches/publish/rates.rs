//! How many events a second become durable.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::common::report::{Goal, Row, Section};
use crate::publisher::Publisher;
use crate::{Options, floor, serve};

/// Publishers with batches, and the events of a batch.
const PUBLISHERS: u32 = 16;
const BATCH: u64 = 32;

/// Publishers of single events: as many wait for a commit at the same time.
const SINGLE: u32 = 64;

/// The writers of the `journal` benchmark.
const WRITERS: u32 = 100;

pub(crate) fn batches(options: &Options) -> anyhow::Result<Section> {
    let round = Duration::from_secs(options.seconds);
    let (mut published, mut journal, mut same, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let load = load(PUBLISHERS, BATCH, round)?;
        published.push(load.rate);
        cpu.push(load.cpu_us);
        journal.push(floor::appends(WRITERS, 1, round)?);
        same.push(floor::appends(PUBLISHERS, BATCH, round)?);
    }
    let published = Row::new("published, durable events a second", "/s", published);
    let journal = Row::new("journal alone, 100 writers", "/s", journal);
    let same = Row::new("journal alone, the same batches", "/s", same);
    Ok(Section {
        name: "batches",
        about: format!("{PUBLISHERS} publishers with batches of {BATCH} × {} s", options.seconds),
        rows: vec![
            Row::ratio("published to journal", &published, &journal).goal(Goal::AtLeast(0.5)),
            Row::ratio("published to the same batches", &published, &same),
            published,
            journal,
            same,
            Row::new("CPU of the server per event", "µs", cpu),
        ],
        note: None,
    })
}

pub(crate) fn single(options: &Options) -> anyhow::Result<Section> {
    let round = Duration::from_secs(options.seconds);
    let (mut published, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let load = load(SINGLE, 1, round)?;
        published.push(load.rate);
        cpu.push(load.cpu_us);
    }
    Ok(Section {
        name: "single",
        about: format!(
            "{SINGLE} publishers with one event a request × {} s, kept connections",
            options.seconds
        ),
        rows: vec![
            Row::new("published, durable events a second", "/s", published).goal(Goal::AtLeast(5_000.0)),
            Row::new("CPU of the server per event", "µs", cpu),
        ],
        note: None,
    })
}

struct Load {
    /// Durable events a second.
    rate: f64,
    /// CPU of the server per event.
    cpu_us: f64,
}

/// Publishers that send as fast as they are answered. Every event has to be stored, once.
fn load(publishers: u32, batch: u64, round: Duration) -> anyhow::Result<Load> {
    let server = serve()?;
    let port = server.port;
    let mut all: Vec<Publisher> =
        (0..publishers).map(|number| Publisher::start(port, number)).collect::<Result<_, _>>()?;
    let mut counter = server.count("?after=0")?;
    let (cpu, start) = (server.process.cpu_us()?, Instant::now());
    let sent = thread::scope(|scope| {
        let running: Vec<_> = all
            .iter_mut()
            .map(|publisher| {
                scope.spawn(move || {
                    while start.elapsed() < round {
                        publisher.publish(batch)?;
                    }
                    anyhow::Ok(publisher.sent)
                })
            })
            .collect();
        let sent = running.into_iter().map(|running| running.join().ok().context("a publisher panicked")?);
        sent.sum::<anyhow::Result<u64>>()
    })?;
    let (took, cpu) = (start.elapsed().as_secs_f64(), server.process.cpu_us()? - cpu);
    counter.up_to(sent)?;
    ensure!(counter.position == sent, "{} events are stored, {sent} were sent", counter.position);
    let events = (sent - u64::from(publishers)) as f64;
    Ok(Load { rate: events / took, cpu_us: cpu / events })
}
