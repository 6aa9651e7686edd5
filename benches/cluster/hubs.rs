//! Servers of incident over one stream, as real processes.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::common::real::Server;

/// How long it may take until a server starts, or one plays.
const PATIENCE: Duration = Duration::from_secs(60);

/// No limit that a load would meet.
const FLAGS: [&str; 4] = ["--publish-rate", "1000000", "--admit-rate", "1000000"];

/// Starts one. While the nats-servers elect a start fails; it is repeated, as under a supervisor.
pub(crate) fn start(location: &str) -> anyhow::Result<Server> {
    let began = Instant::now();
    loop {
        match Server::start_with(location, &FLAGS) {
            Err(_) if began.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(200)),
            started => return started,
        }
    }
}

/// Whether it is the one that plays.
pub(crate) fn plays(hub: &Server) -> bool {
    hub.request("GET /readyz", "").is_ok_and(|answer| answer.contains("this server plays"))
}

/// The place of the one that plays.
pub(crate) fn holder(hubs: &[Server]) -> anyhow::Result<usize> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(holder) = hubs.iter().position(plays) {
            return Ok(holder);
        }
        thread::sleep(Duration::from_millis(50));
    }
    bail!("no server plays")
}

/// Starts several at once.
pub(crate) fn start_all(location: &str, many: usize) -> anyhow::Result<Vec<Server>> {
    // The first creates the streams.
    let first = start(location)?;
    thread::scope(|scope| {
        let others: Vec<_> = (1..many).map(|_| scope.spawn(|| start(location))).collect();
        let others = others.into_iter().map(|other| other.join().ok().context("a start panicked")?);
        std::iter::once(Ok(first)).chain(others).collect()
    })
}
