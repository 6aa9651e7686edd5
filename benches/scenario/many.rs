//! Many incidents at once at real speed: how late their events come at a client, and what memory each of them takes.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;

use crate::common::real::Server;
use crate::common::report::{Goal, Row, Section};

/// Screen time and incident time are the same in it: `offset_s` is the second on screen.
const SCENARIO: &str = "database-outage";

pub(crate) fn measure(incidents: u32, seconds: u32) -> anyhow::Result<Section> {
    let server = Server::start("memory")?;
    // It pays for what all of them share. Then it is cancelled: a server plays 1,000 at once, and this would be one more.
    let first = server.trigger(&json!({ "scenario": SCENARIO, "seed": 1 }))?;
    server.cancel(&first)?;
    let mut follower = server.follow("")?;
    let before = server.process.rss_kib()?;
    let cpu = server.process.cpu_us()?;
    let begin = Instant::now();
    let watch = Duration::from_secs(u64::from(seconds));
    let (late, held) = thread::scope(|scope| {
        let triggers = scope.spawn(|| {
            for seed in 2..=u64::from(incidents) + 1 {
                server.trigger(&json!({ "scenario": SCENARIO, "seed": seed }))?;
            }
            server.process.rss_kib()
        });
        let mut starts: HashMap<String, Instant> = HashMap::new();
        let mut late = Vec::new();
        while begin.elapsed() < watch {
            let (_, event, arrival) = follower.next()?;
            if event.kind == "incident_started" {
                starts.insert(event.subject.clone(), arrival);
            }
            // The first incident began before the follower did.
            let Some(start) = starts.get(&event.subject) else { continue };
            let deadline = *start + Duration::from_secs_f64(event.data.offset_s);
            late.push(arrival.saturating_duration_since(deadline).as_secs_f64() * 1e3);
        }
        let held = triggers.join().ok().context("the triggers panicked")??;
        ensure!(starts.len() as u32 == incidents, "{} of {incidents} incidents began", starts.len());
        late.sort_by(f64::total_cmp);
        anyhow::Ok((late, held))
    })?;
    let cpu = (server.process.cpu_us()? - cpu) / begin.elapsed().as_micros() as f64 * 100.0;
    let at = |share: f64| {
        let last = late.len().saturating_sub(1);
        late.get((last as f64 * share) as usize).copied().unwrap_or_default()
    };
    let each = |kib: f64| (kib - before) / f64::from(incidents);
    Ok(Section {
        name: "many",
        about: format!(
            "{incidents} × {SCENARIO} at speed 1 for {seconds} s: {} events at one client",
            late.len()
        ),
        rows: vec![
            Row::single("late, p50", "ms", at(0.5)),
            Row::single("late, p99", "ms", at(0.99)).goal(Goal::AtMost(10.0)),
            Row::single("late, most", "ms", at(1.0)),
            Row::single("memory per incident, all running", "KiB", each(held)).goal(Goal::AtMost(40.0)),
            Row::single("… with the events of the journal", "KiB", each(server.process.rss_kib()?)),
            Row::single("CPU of the server", "%", cpu),
        ],
        note: None,
    })
}
