//! Appends: many writers, each of which waits for its commit before it appends again; then a publisher of equal batches.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use async_nats::HeaderMap;
use bytes::Bytes;
use incident::contract::MessageType;
use incident::journal::{Append, Health, Log, Nats, Place, Record, Retention};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Options;
use crate::common::message;
use crate::common::report::{Goal, Row, Section};
use crate::servers::{Servers, THREE};

/// About what an event takes in a message, with its headers.
const EVENT_BYTES: usize = 400;

/// Everything stays.
pub(crate) const ALL: Retention = Retention { events: usize::MAX, age: None };

pub(crate) fn measure(options: &Options, servers: &mut Servers) -> anyhow::Result<Section> {
    let mut rows = Vec::new();
    for by in [By::Leader, By::Follower] {
        rows.extend(compared(options, servers, by)?);
    }
    Ok(Section {
        name: "append",
        about: format!(
            "{} writers × {} s, {EVENT_BYTES}-byte events, three replicas, sync_interval: always",
            options.writers, options.seconds
        ),
        rows,
        note: None,
    })
}

/// Which nats-server both sides are connected to. The one that leads saves them a hop, which was worth a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Leader,
    Follower,
}

impl By {
    /// The server of it for this stream.
    fn server(self, servers: &Servers, stream: &str) -> anyhow::Result<usize> {
        let leader = servers.leader_of(stream)?;
        Ok(if self == Self::Leader { leader } else { (leader + 1) % THREE })
    }
}

fn compared(options: &Options, servers: &Servers, by: By) -> anyhow::Result<[Row; 4]> {
    let (mut journal, mut bare, mut joined) = (Vec::new(), Vec::new(), Vec::new());
    let length = Duration::from_secs(options.seconds);
    for round in 0..options.rounds {
        let (rate, batch) = appends(servers, by, &format!("append-{round}"), options.writers, length)?;
        journal.push(rate);
        joined.push(batch);
        let batch = batch.round().max(1.0) as usize;
        bare.push(publish(servers, by, &format!("bare-{round}"), batch, length)?);
    }
    let [ratio, ours, theirs, batch] = match by {
        By::Leader => [
            "journal to bare publisher",
            "journal, durable events a second",
            "bare publisher, the same batches",
            "events a commit",
        ],
        By::Follower => [
            "by a follower: journal to bare publisher",
            "… journal, durable events a second",
            "… bare publisher, the same batches",
            "… events a commit",
        ],
    };
    let journal = Row::new(ours, "/s", journal);
    let bare = Row::new(theirs, "/s", bare);
    let ratio = Row::ratio(ratio, &journal, &bare).goal(Goal::AtLeast(0.7));
    Ok([ratio, journal, bare, Row::new(batch, "", joined)])
}

/// An event of about 400 bytes.
pub(crate) fn record(subject: &str, index: u64, last: bool) -> anyhow::Result<Record> {
    let kind = match index {
        1 => MessageType::IncidentStarted,
        _ if last => MessageType::IncidentResolved,
        _ => MessageType::AgentAction,
    };
    let data = RawValue::from_string(message::data())?;
    Ok(Record { subject: subject.to_owned(), place: Place::At(index), kind, data, plan: None })
}

/// Events a second, and how many of them a commit had.
fn appends(
    servers: &Servers,
    by: By,
    stream: &str,
    writers: u32,
    length: Duration,
) -> anyhow::Result<(f64, f64)> {
    drop(Nats::open(Path::new(&servers.location(stream)), ALL)?);
    let server = by.server(servers, stream)?;
    let journal = Arc::new(Nats::open(Path::new(&servers.location_at(stream, server)), ALL)?);
    let start = Instant::now();
    servers.runtime.block_on(async {
        let writers = (0..writers).map(|writer| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move {
                let subject = format!("load-{writer:05}");
                let mut index = 0;
                while start.elapsed() < length {
                    index += 1;
                    journal.append(record(&subject, index, false)?.into()).await?;
                }
                anyhow::Ok(())
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await??;
        }
        anyhow::Ok(())
    })?;
    let (events, took) = (journal.extent().head as f64, start.elapsed());
    let figures = (events / took.as_secs_f64(), events / journal.commits() as f64);
    drop(journal);
    servers.delete(stream)?;
    Ok(figures)
}

/// The least: atomic batches of the same size, each published when the one before is acknowledged.
fn publish(servers: &Servers, by: By, stream: &str, batch: usize, length: Duration) -> anyhow::Result<f64> {
    servers.create(stream)?;
    let server = by.server(servers, stream)?;
    let rate = servers.runtime.block_on(async {
        let client = servers.client_of(server).await?;
        let payload = Bytes::from(vec![b'x'; EVENT_BYTES]);
        let start = Instant::now();
        let mut batches = 0;
        while start.elapsed() < length {
            batches += 1;
            let headers = |number: usize| {
                let mut headers = HeaderMap::new();
                if batch > 1 {
                    headers.insert("Nats-Batch-Id", format!("bare-{batches}"));
                    headers.insert("Nats-Batch-Sequence", number.to_string());
                }
                headers
            };
            for number in 1..batch {
                let subject = format!("{stream}.{number}");
                client.publish_with_headers(subject, headers(number), payload.clone()).await?;
            }
            let mut last = headers(batch);
            if batch > 1 {
                last.insert("Nats-Batch-Commit", "1");
            }
            let subject = format!("{stream}.{batch}");
            let answer = client.request_with_headers(subject, last, payload.clone()).await?;
            let answer: Value = serde_json::from_slice(&answer.payload)?;
            let stored = (batches * batch) as u64;
            ensure!(answer["seq"] == stored, "the bare publisher was answered {answer}, not {stored}");
        }
        anyhow::Ok((batches * batch) as f64 / start.elapsed().as_secs_f64())
    })?;
    servers.delete_one(stream)?;
    Ok(rate)
}
