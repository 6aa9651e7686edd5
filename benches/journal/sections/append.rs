//! Durable appends: many writers, each of which waits for its commit before it appends again.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use incident::contract::MessageType;
use incident::journal::{Append, Health, Log, Place, Retention, Sqlite};

use crate::common::report::{Goal, Row, Section};
use crate::{Options, past};

/// How long a round appends.
const ROUND: Duration = Duration::from_secs(4);

/// About what an event takes in a file.
const EVENT_BYTES: usize = 400;

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let (mut journal, mut floor, mut joined) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let (rate, batch) = appends(options.writers)?;
        journal.push(rate);
        joined.push(batch);
        floor.push(bare(batch.round().max(1.0) as usize)?);
    }
    let journal = Row::new("journal, durable events a second", "/s", journal).goal(Goal::AtLeast(20_000.0));
    let floor = Row::new("bare loop, the same batches", "/s", floor);
    let ratio = Row::ratio("journal to bare loop", &journal, &floor).goal(Goal::AtLeast(0.5));
    Ok(Section {
        name: "append",
        about: format!(
            "{} writers × {} s, {EVENT_BYTES}-byte events, synchronous=FULL",
            options.writers,
            ROUND.as_secs()
        ),
        rows: vec![ratio, journal, floor, Row::new("events a commit", "", joined)],
        note: None,
    })
}

/// Events a second, and how many of them a commit had.
fn appends(writers: u32) -> anyhow::Result<(f64, f64)> {
    let file = past::fresh("append.db")?;
    let journal = Arc::new(Sqlite::open(&file, Retention { events: usize::MAX, age: None })?);
    let runtime = tokio::runtime::Runtime::new()?;
    let start = Instant::now();
    runtime.block_on(async {
        let writers = (0..writers).map(|writer| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move {
                let subject = format!("load-{writer:05}");
                let mut record = past::record(&subject, 1, false)?;
                let mut index = 1;
                while start.elapsed() < ROUND {
                    journal.append(record.clone().into()).await?;
                    index += 1;
                    record.place = Place::At(index);
                    record.kind = MessageType::AgentAction;
                }
                anyhow::Ok(())
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await??;
        }
        anyhow::Ok(())
    })?;
    let events = journal.extent().head as f64;
    Ok((events / start.elapsed().as_secs_f64(), events / journal.commits() as f64))
}

/// The least: batches of the same size written to a file and synchronised.
fn bare(batch: usize) -> anyhow::Result<f64> {
    let mut file = File::create(past::folder()?.join("bare.log"))?;
    let bytes = vec![b'x'; batch * EVENT_BYTES];
    let start = Instant::now();
    let mut batches = 0;
    while start.elapsed() < ROUND {
        file.write_all(&bytes)?;
        file.sync_data()?;
        batches += 1;
    }
    Ok((batches * batch) as f64 / start.elapsed().as_secs_f64())
}
