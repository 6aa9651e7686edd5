//! Everybody at once: the server is killed under thousands of clients and started again.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use incident::client::{Follower, Item};
use serde_json::json;

use crate::common::real::Server;
use crate::common::report::{Goal, Row, Section};
use crate::options::Options;

/// How many clients return.
const CLIENTS: usize = 5_000;

/// How long all of it may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let (mut back, mut replayed) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        let (took, events) = self::round(round)?;
        back.push(took);
        replayed.push(events);
    }
    Ok(Section {
        name: "storm",
        about: format!(
            "{CLIENTS} of the program's own clients; the server is killed with SIGKILL and started again"
        ),
        rows: vec![
            Row::new("until the last is back and served", "s", back).goal(Goal::AtMost(10.0)),
            Row::new("events replayed to all of them", "", replayed),
            // A loss is an error long before this line.
            Row::single("lost events", "", 0.0).goal(Goal::AtMost(0.0)),
        ],
        note: None,
    })
}

fn round(number: u32) -> anyhow::Result<(f64, f64)> {
    let folder = std::env::temp_dir().join(format!("incident-storm-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let journal = folder.join("journal.db");
    let journal = journal.to_str().context("the folder's name is no text")?;
    let runtime = tokio::runtime::Runtime::new()?;
    let server = Server::start_with(journal, &["--admit-rate", "100000"])?;
    let port = server.port.to_string();
    server.trigger(&json!({ "scenario": "database-outage", "speed": 4 }))?;
    let url = format!("ws://127.0.0.1:{port}/ws");
    let figures = runtime.block_on(async {
        let mut followers = Vec::with_capacity(CLIENTS);
        for _ in 0..CLIENTS {
            followers.push(Follower::connect(url.parse()?, None, true).await?);
        }
        let returns: Vec<_> =
            followers.into_iter().map(|follower| tokio::spawn(until_back(follower))).collect();
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop(server);
        let killed = Instant::now();
        let _server = Server::start_with(journal, &["--admit-rate", "100000", "--port", &port])?;
        let mut replayed = 0;
        for client in returns {
            replayed +=
                tokio::time::timeout(PATIENCE, client).await.context("a client did not come back")???;
        }
        anyhow::Ok((killed.elapsed().as_secs_f64(), replayed as f64))
    });
    std::fs::remove_dir_all(&folder)?;
    figures
}

/// Follows until it was cut off, came back and got everything that it missed; how much that was.
async fn until_back(mut follower: Follower) -> anyhow::Result<u64> {
    loop {
        match follower.next().await?.context("it reconnects")? {
            Item::Back { replayed, to, lost, .. } => {
                ensure!(lost == Some(0), "lost {lost:?}");
                while replayed > 0 && follower.position().is_none_or(|position| position.n < to) {
                    if let Item::Gap { from, to } = follower.next().await?.context("it reconnects")? {
                        bail!("{from} to {to} never came");
                    }
                }
                return Ok(replayed);
            }
            Item::Gap { from, to } => bail!("{from} to {to} never came"),
            _ => {}
        }
    }
}
