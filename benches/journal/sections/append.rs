//! Durable appends: many writers, each of which waits for its commit before it appends again.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use incident::contract::MessageType;
use incident::journal::{Append, Health, Log, Place, Retention, Sqlite};
use rusqlite::{Connection, TransactionBehavior, params};

use crate::common::message;
use crate::common::report::{Goal, Row, Section};
use crate::{Options, past};

/// How long a round appends.
const ROUND: Duration = Duration::from_secs(4);

/// About what an event takes in a file.
const EVENT_BYTES: usize = 400;

/// Numbers as long as those of a real event.
const TIME_US: i64 = 1_790_000_000_000_000;
const CHECKSUM: i64 = 0x0123_4567_89ab_cdef;

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let (mut journal, mut floor, mut sql, mut joined) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let (rate, batch) = appends(options.writers)?;
        journal.push(rate);
        joined.push(batch);
        let batch = batch.round().max(1.0) as usize;
        floor.push(bare(batch)?);
        sql.push(sqlite(batch)?);
    }
    let journal = Row::new("journal, durable events a second", "/s", journal).goal(Goal::AtLeast(20_000.0));
    let floor = Row::new("bare loop, the same batches", "/s", floor);
    let sql = Row::new("SQLite alone, the same batches", "/s", sql);
    let ratio = Row::ratio("journal to bare loop", &journal, &floor).goal(Goal::AtLeast(0.7));
    let to_sql = Row::ratio("journal to SQLite alone", &journal, &sql).goal(Goal::AtLeast(0.9));
    Ok(Section {
        name: "append",
        about: format!(
            "{} writers × {} s, {EVENT_BYTES}-byte events, synchronous=FULL",
            options.writers,
            ROUND.as_secs()
        ),
        rows: vec![ratio, to_sql, journal, floor, sql, Row::new("events a commit", "", joined)],
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

/// What SQLite itself costs: one thread that inserts batches of the same size into the same tables, with a checksum that was
/// not computed, and commits each with the same pragmas.
fn sqlite(batch: usize) -> anyhow::Result<f64> {
    let file = past::fresh("bare.db")?;
    // It makes the tables.
    drop(Sqlite::open(&file, Retention { events: usize::MAX, age: None })?);
    let mut connection = Connection::open(&file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON;
         PRAGMA wal_autocheckpoint = 4000;",
    )?;
    let data = message::data();
    let start = Instant::now();
    let mut position = 0_u64;
    while start.elapsed() < ROUND {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for place in 0..batch {
            position += 1;
            let subject = format!("load-{place:05}");
            transaction
                .prepare_cached(
                    "INSERT INTO events (position, time_us, subject, idx, type, data, checksum)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![position, TIME_US, subject, position, "agent_action", data, CHECKSUM])?;
        }
        transaction
            .prepare_cached("UPDATE head SET position = ?1, checksum = ?2, seal = ?2")?
            .execute(params![position, CHECKSUM])?;
        transaction.commit()?;
    }
    Ok(position as f64 / start.elapsed().as_secs_f64())
}
