//! How long a server takes from its start to serving a large stream.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use incident::journal::{Append, Nats, Record};

use crate::append::{ALL, record};
use crate::common::real::Server;
use crate::common::report::{Goal, Row, Section};
use crate::servers::Servers;
use crate::{Options, hubs};

/// Events of one incident.
const LENGTH: u64 = 200;

/// Incidents that are stored at the same time while the stream is filled.
const AT_ONCE: u64 = 8;

const STARTS: usize = 5;

pub(crate) fn measure(options: &Options, servers: &mut Servers) -> anyhow::Result<Section> {
    let (location, incidents) = (servers.location("start"), options.events.div_ceil(LENGTH));
    let filling = Instant::now();
    fill(servers, &location, incidents)?;
    let filling = filling.elapsed().as_secs_f64();
    // One that has run for a while has left behind what the next one needs.
    let first = Instant::now();
    let server = hubs::start(&location)?;
    let first = first.elapsed().as_secs_f64() * 1e3;
    hubs::holder(std::slice::from_ref(&server))?;
    drop(server);
    let starts = (0..STARTS).map(|_| {
        let start = Instant::now();
        let server = Server::start(&location)?;
        let took = start.elapsed();
        drop(server);
        Ok(took.as_secs_f64() * 1e3)
    });
    let starts = starts.collect::<anyhow::Result<Vec<_>>>()?;
    servers.delete("start")?;
    Ok(Section {
        name: "start",
        about: format!("a stream of {} events, {incidents} incidents, {STARTS} starts", incidents * LENGTH),
        rows: vec![
            Row::new("start to ready line", "ms", starts).goal(Goal::AtMost(2_000.0)),
            Row::single("the first start", "ms", first),
            Row::single("filling the stream", "s", filling),
        ],
        note: None,
    })
}

/// Stores incidents that have ended, each as one batch.
fn fill(servers: &Servers, location: &str, incidents: u64) -> anyhow::Result<()> {
    let journal = Arc::new(Nats::open(Path::new(location), ALL)?);
    servers.runtime.block_on(async {
        let tasks: Vec<_> = (0..AT_ONCE)
            .map(|task| {
                let journal = Arc::clone(&journal);
                tokio::spawn(async move {
                    for number in (task..incidents).step_by(AT_ONCE as usize) {
                        let subject = format!("past-{number}");
                        let events = (1..=LENGTH).map(|index| record(&subject, index, index == LENGTH));
                        let events = events.collect::<anyhow::Result<Vec<Record>>>()?;
                        journal.append(events.into()).await?;
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        for task in tasks {
            task.await.context("a task panicked")??;
        }
        anyhow::Ok(())
    })
}
