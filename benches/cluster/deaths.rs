//! How long nothing comes at a client of a server that lives on, when another one or a nats-server is killed.

use std::time::Instant;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;

use crate::common::report::{Goal, Row, Section};
use crate::servers::{Servers, THREE};
use crate::{Options, hubs};

/// Incidents at once, and how fast they are played: some thirty events a second, so that the time between two of them is
/// next to nothing.
const INCIDENTS: u32 = 10;
const SPEED: f64 = 5.0;

/// How many events have come before somebody is killed.
const UNDER_WAY: u32 = 40;

/// What is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Victim {
    /// The server that plays.
    Hub,
    /// The nats-server that leads the stream.
    Leader,
}

/// The server that plays is killed.
pub(crate) fn takeover(options: &Options, servers: &mut Servers) -> anyhow::Result<Section> {
    let waits = rounds(options.kills, servers, "takeover", Victim::Hub)?;
    Ok(section("takeover", "the server that plays", waits, 4.0))
}

/// The nats-server is killed that leads the stream.
pub(crate) fn leader(options: &Options, servers: &mut Servers) -> anyhow::Result<Section> {
    let waits = rounds(options.kills, servers, "leader", Victim::Leader)?;
    Ok(section("leader", "the nats-server that leads", waits, 10.0))
}

/// `most` in seconds.
fn section(name: &'static str, who: &str, waits: Vec<f64>, most: f64) -> Section {
    let kills = waits.len();
    let soon = waits.iter().filter(|wait| **wait <= most).count();
    let longest = waits.iter().copied().fold(0.0, f64::max);
    Section {
        name,
        about: format!(
            "{who} is killed {kills} times: until the next event of its incidents comes at a client of another server"
        ),
        rows: vec![
            Row::single("longest", "s", longest).goal(Goal::AtMost(most)),
            Row::single("soon enough", "", soon as f64).goal(Goal::AtLeast(kills as f64)),
            Row::new("each", "s", waits),
        ],
        note: None,
    }
}

fn rounds(kills: u32, servers: &mut Servers, stream: &str, victim: Victim) -> anyhow::Result<Vec<f64>> {
    let location = servers.location(stream);
    let mut all = hubs::start_all(&location, THREE)?;
    let mut waits = Vec::new();
    for kill in 0..kills {
        let leader = servers.leader(stream)?;
        let holder = hubs::holder(&all)?;
        let other = all.remove((holder + 1) % THREE);
        let mut follower = other.follow("")?;
        let start = |number| {
            let seed = kill * INCIDENTS + number + 1;
            other.trigger(&json!({ "scenario": "database-outage", "seed": seed, "speed": SPEED }))
        };
        let incidents = (0..INCIDENTS).map(start).collect::<anyhow::Result<Vec<_>>>()?;
        for _ in 0..UNDER_WAY {
            follower.next()?;
        }
        let began = Instant::now();
        match victim {
            Victim::Hub => {
                let place = all.iter().position(hubs::plays).context("no server plays")?;
                drop(all.remove(place));
            }
            Victim::Leader => servers.kill(leader)?,
        }
        let dead = Timestamp::now();
        // What comes first may have been stored before.
        let arrived = loop {
            let (_, event, arrived) = follower.next()?;
            if event.time > dead && incidents.contains(&event.subject) {
                break arrived;
            }
        };
        waits.push(arrived.saturating_duration_since(began).as_secs_f64());
        for id in &incidents {
            // It may have ended.
            let _ = other.cancel(id);
        }
        all.push(other);
        match victim {
            Victim::Hub => all.push(hubs::start(&location)?),
            Victim::Leader => servers.start_again(leader)?,
        }
    }
    servers.leader(stream)?;
    drop(all);
    servers.delete(stream)?;
    Ok(waits)
}
