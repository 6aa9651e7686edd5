//! What an event and an incident cost while more incidents are open.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::json;

use crate::common::real::Server;
use crate::common::report::{Goal, Row, Section};
use crate::common::slope::Growth;

const SCENARIO: &str = "database-outage";

/// Incidents that are open, at real speed. With the load there are no more than a server plays at once.
const SIZES: [u32; 4] = [1, 10, 100, 990];

/// Incidents whose events are the load beside them.
const LOAD: u32 = 9;

/// Their speed: they take nine seconds.
const SPEED: f64 = 20.0;

/// After the triggers: plans are deflated, buffers given back.
const SETTLE: Duration = Duration::from_secs(2);

/// A figure that does not grow, with the noise of a machine.
const FLAT: f64 = 0.1;

pub(crate) fn measure() -> anyhow::Result<Section> {
    let mut cpu = Growth::new("CPU per event", "µs");
    let mut memory = Growth::new("memory per open incident", "KiB");
    let mut counts = Vec::new();
    for open in SIZES {
        let (each, kib, events) = at(open)?;
        cpu.at(f64::from(open), each);
        // What all of them share is paid by the first: it would hide a growth.
        if open >= 10 {
            memory.at(f64::from(open), kib);
        }
        counts.push(events as f64);
    }
    let rows = [
        cpu.rows("CPU per event, exponent", Goal::AtMost(FLAT)),
        memory.rows("memory per incident, exponent", Goal::AtMost(FLAT)),
    ];
    Ok(Section {
        name: "growth",
        about: format!(
            "{SIZES:?} open incidents of {SCENARIO}, and {LOAD} at speed {SPEED} whose events are counted too; memory from 10 on"
        ),
        rows: rows.into_iter().flatten().chain([Row::new("events", "", counts)]).collect(),
        note: None,
    })
}

/// Microseconds of CPU for each event, KiB for each open incident, and how many events there were.
fn at(open: u32) -> anyhow::Result<(f64, f64, u64)> {
    let server = Server::start("memory")?;
    // It pays for what all of them share.
    let first = server.trigger(&json!({ "scenario": SCENARIO, "seed": 1 }))?;
    server.cancel(&first)?;
    let before = server.process.rss_kib()?;
    for seed in 2..open + 2 {
        server.trigger(&json!({ "scenario": SCENARIO, "seed": seed }))?;
    }
    std::thread::sleep(SETTLE);
    let kib = (server.process.rss_kib()? - before) / f64::from(open);
    let mut follower = server.follow("")?;
    let cpu = server.process.cpu_us()?;
    let mut load = HashSet::new();
    for seed in 0..LOAD {
        load.insert(server.trigger(&json!({ "scenario": SCENARIO, "seed": 5_000 + seed, "speed": SPEED }))?);
    }
    let (start, mut events) = (Instant::now(), 0);
    while !load.is_empty() {
        ensure!(start.elapsed() < Duration::from_secs(60), "the load did not end");
        let (_, event, _) = follower.next()?;
        events += 1;
        if event.kind == "incident_resolved" {
            load.remove(&event.subject);
        }
    }
    Ok(((server.process.cpu_us()? - cpu) / events as f64, kib, events))
}
