//! What a machine's clock that is set, or never was, does to the times, ages and deadlines of events: nothing absurd.

mod binary;
mod deadlines;
mod property;
mod recordings;
mod retention;
mod server;
mod times;

use std::path::Path;
use std::time::Duration;

use incident::contract::StreamId;
use incident::journal::{Journal, Memory, ReadLimit, Record, Retention, Sqlite};
use jiff::{SignedDuration, Timestamp};

use crate::harness::{Clocks, Scratch};

const NOON: &str = "2026-11-22T12:00:00Z";
const ALL: Retention = Retention { events: 1_000_000, age: None };

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn hours(hours: u64) -> Duration {
    secs(hours * 3_600)
}

fn back(by: Duration) -> SignedDuration {
    -forward(by)
}

fn forward(by: Duration) -> SignedDuration {
    by.try_into().unwrap()
}

const YEAR: Duration = hours(365 * 24);

/// A journal of each engine, each on a machine of its own, whose clock shows `wall`.
fn engines(wall: &str, retention: Retention) -> [(Clocks, Journal, Option<Scratch>); 2] {
    let (one, other, folder) = (Clocks::at(wall), Clocks::at(wall), Scratch::new());
    let (memory, file) = (in_memory(&one, retention), open(folder.path(), &other, retention));
    [(one, memory, None), (other, file, Some(folder))]
}

fn in_memory(clocks: &Clocks, retention: Retention) -> Journal {
    let stream = StreamId::generate(1_700_000_000_000, 7);
    Journal::new(Memory::with_clocks(stream, retention, clocks.source()))
}

fn open(folder: &Path, clocks: &Clocks, retention: Retention) -> Journal {
    Journal::new(Sqlite::with_clocks(&folder.join("journal.db"), retention, clocks.source()).unwrap())
}

/// Appends and returns the times.
async fn append(journal: &Journal, records: impl IntoIterator<Item = Record>) -> Vec<Timestamp> {
    let records: Vec<Record> = records.into_iter().collect();
    let many = records.len();
    let last = journal.append(records).await.unwrap().last().unwrap().position;
    let events = journal.read(last - many as u64, ReadLimit::ALL).await.unwrap();
    events.iter().map(|event| event.time).collect()
}

async fn append_one(journal: &Journal, record: Record) -> Timestamp {
    append(journal, [record]).await[0]
}
