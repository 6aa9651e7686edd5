//! Incidents of the real binary against a clock that is not the server's.

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;

use crate::common::real::{Event, Follower, Server};
use crate::common::report::{Goal, Row, Section};
use crate::options::Options;

/// Screen time and incident time are the same in it: `offset_s` is the second on screen.
const SCENARIO: &str = "database-outage";

/// How long it plays at speed 1.
const SECONDS: f64 = 180.0;

pub(crate) fn pacing(options: &Options) -> anyhow::Result<Section> {
    let speed = options.speed.unwrap_or(1.0);
    let server = Server::start("memory")?;
    let mut follower = server.follow("")?;
    server.trigger(&json!({ "scenario": SCENARIO, "seed": 42, "speed": speed }))?;
    let watched = Watched::until_resolved(&mut follower, 1, speed)?;
    Ok(Section {
        name: "pacing",
        about: format!("{SCENARIO} at speed {speed}: {} events, by the client's clock", watched.events),
        rows: [Row::single("started to resolved", "s", watched.longest.as_secs_f64())
            .goal(Goal::Within(SECONDS / speed, 0.05))]
        .into_iter()
        .chain(watched.lateness())
        .collect(),
        note: None,
    })
}

pub(crate) fn many(options: &Options) -> anyhow::Result<Section> {
    let speed = options.speed.unwrap_or(10.0);
    let incidents = options.incidents;
    let server = Server::start("memory")?;
    let mut follower = server.follow("")?;
    let follow = thread::spawn(move || Watched::until_resolved(&mut follower, incidents as usize, speed));
    let start = Instant::now();
    for seed in 1..=u64::from(incidents) {
        server.trigger(&json!({ "scenario": SCENARIO, "seed": seed, "speed": speed }))?;
    }
    let triggered = start.elapsed().as_secs_f64() * 1e3 / f64::from(incidents);
    let watched = follow.join().ok().context("the follower panicked")??;
    let longest = watched.longest.as_secs_f64();
    Ok(Section {
        name: "many",
        about: format!("{incidents} × {SCENARIO} at speed {speed}: {} events at one client", watched.events),
        rows: [
            // A lost event is an error long before this line.
            Row::single("lost events", "", 0.0).goal(Goal::AtMost(0.0)),
            Row::single("longest incident", "s", longest).goal(Goal::Within(SECONDS / speed, 0.05)),
            Row::single("POST to 202, mean", "ms", triggered),
        ]
        .into_iter()
        .chain(watched.lateness())
        .collect(),
        note: None,
    })
}

/// What one client saw of some incidents, from the start of each to its end.
struct Watched {
    events: u64,
    /// Distance of each arrival from its deadline, which counts from the arrival of the incident's start.
    off: Vec<Duration>,
    longest: Duration,
}

impl Watched {
    /// # Errors
    /// A gap in the stream's positions or in an incident's indices.
    fn until_resolved(follower: &mut Follower, incidents: usize, speed: f64) -> anyhow::Result<Self> {
        let mut seen = 0;
        let mut ended = 0;
        let mut open: HashMap<String, (Instant, u64)> = HashMap::new();
        let mut watched = Self { events: 0, off: Vec::new(), longest: Duration::ZERO };
        while ended < incidents {
            let (position, event, arrival) = follower.next()?;
            ensure!(position == seen + 1, "lost: position {position} follows {seen}");
            seen = position;
            let Event { kind, subject, index, data, .. } = event;
            let known = open.entry(subject.clone()).or_insert((arrival, 0));
            ensure!(index == known.1 + 1, "lost: event {index} of {subject} follows {}", known.1);
            ensure!((index == 1) == (kind == "incident_started"), "{subject} begins with {kind}");
            known.1 = index;
            let deadline = known.0 + Duration::from_secs_f64(data.offset_s / speed);
            let late = arrival.saturating_duration_since(deadline);
            watched.off.push(late.max(deadline.saturating_duration_since(arrival)));
            watched.events += 1;
            if kind == "incident_resolved" {
                watched.longest = watched.longest.max(arrival - known.0);
                ended += 1;
                open.remove(&subject);
            }
        }
        watched.off.sort_unstable();
        Ok(watched)
    }

    fn lateness(&self) -> [Row; 3] {
        let at = |share: f64| {
            let last = self.off.len().saturating_sub(1);
            self.off.get((last as f64 * share) as usize).map_or(0.0, |off| off.as_secs_f64() * 1e3)
        };
        [
            Row::single("off the deadline, p50", "ms", at(0.5)),
            Row::single("off the deadline, p99", "ms", at(0.99)).goal(Goal::AtMost(5.0)),
            Row::single("off the deadline, most", "ms", at(1.0)),
        ]
    }
}
