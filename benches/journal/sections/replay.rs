//! A client that is far behind, and what the others notice of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::Context;

use crate::common::real::Server;
use crate::common::report::{Goal, Row, Section};
use crate::{Options, past};

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let (mut alone, mut quiet, mut beside, mut grown) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let file = past::copy_of(options.events)?;
        let server = Server::start(file.to_str().context("the folder's name is no text")?)?;
        let before = server.process.rss_kib()?;
        alone.push(replay(&server, options.events)?);
        grown.push((server.process.rss_kib()? - before) / 1024.0);
        quiet.push(others(&server, options.events, false)?);
        beside.push(others(&server, options.events, true)?);
    }
    let quiet = Row::new("others, p99 without it", "ms", quiet);
    let beside = Row::new("others, p99 beside it", "ms", beside);
    Ok(Section {
        name: "replay",
        about: format!("{} events from a file to one client", options.events),
        rows: vec![
            Row::new("until the last arrived", "s", alone).goal(Goal::AtMost(3.0)),
            Row::new("server's memory, more than before", "MiB", grown),
            Row::ratio("others, p99 beside it to without", &beside, &quiet),
            quiet,
            beside,
        ],
        note: None,
    })
}

/// Seconds until everything that is kept was sent.
fn replay(server: &Server, events: u64) -> anyhow::Result<f64> {
    let mut counter = server.count("?after=0")?;
    let start = Instant::now();
    counter.up_to(events)?;
    Ok(start.elapsed().as_secs_f64())
}

/// p99 of live events at a client that is at the head, while others replay or not.
fn others(server: &Server, events: u64, replaying: bool) -> anyhow::Result<f64> {
    let over = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        let replays = scope.spawn(|| {
            while replaying && !over.load(Ordering::Relaxed) {
                replay(server, events)?;
            }
            anyhow::Ok(())
        });
        let waits = server.waits(20, 30.0);
        over.store(true, Ordering::Relaxed);
        replays.join().ok().context("the replay panicked")??;
        let waits = waits?;
        Ok(waits.get(waits.len() * 99 / 100).copied().unwrap_or_default())
    })
}
