//! The floor: the journal's own durable appends, in the form that the `journal` benchmark has and in that of the load.

use std::sync::Arc;
use std::time::{Duration, Instant};

use incident::contract::MessageType;
use incident::journal::{Append, Log, Place, Record, Retention, Sqlite};
use serde_json::value::RawValue;

use crate::common::message;
use crate::fresh;

/// Durable events a second of so many writers, each of which waits for the commit of its batch.
pub(crate) fn appends(writers: u32, batch: u64, round: Duration) -> anyhow::Result<f64> {
    let journal = Arc::new(Sqlite::open(&fresh("floor.db")?, Retention { events: usize::MAX, age: None })?);
    let runtime = tokio::runtime::Runtime::new()?;
    let start = Instant::now();
    runtime.block_on(async {
        let writers = (0..writers).map(|writer| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move {
                let subject = format!("load-{writer:05}");
                let mut index = 0;
                while start.elapsed() < round {
                    let records: Vec<Record> =
                        (1..=batch).map(|more| record(&subject, index + more)).collect::<Result<_, _>>()?;
                    journal.append(records.into()).await?;
                    index += batch;
                }
                anyhow::Ok(())
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await??;
        }
        anyhow::Ok(())
    })?;
    Ok(journal.extent().head as f64 / start.elapsed().as_secs_f64())
}

fn record(subject: &str, index: u64) -> anyhow::Result<Record> {
    let kind = if index == 1 { MessageType::IncidentStarted } else { MessageType::AgentAction };
    let data = RawValue::from_string(message::data())?;
    Ok(Record { subject: subject.to_owned(), place: Place::At(index), kind, data, plan: None })
}
