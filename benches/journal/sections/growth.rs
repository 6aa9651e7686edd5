//! What a journal with more events costs more: its start, an append, a page of replay and the listing of incidents.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use incident::contract::{MessageType, StreamId};
use incident::journal::{Append, Log, Place, Retention, Sqlite};

use super::start::starts;
use crate::common::real::Server;
use crate::common::report::{Goal, Section};
use crate::common::slope::Growth;
use crate::{Options, past};

/// The sizes, up to the one that was asked for.
const SIZES: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// How often each figure is taken; the median counts.
const TIMES: usize = 9;

/// Events of a page.
const PAGE: u64 = 500;

/// How long appends are counted.
const APPENDS: Duration = Duration::from_secs(2);

/// Events of one append.
const BATCH: u64 = 50;

/// A figure that does not grow, with the noise of a machine.
const FLAT: Goal = Goal::AtMost(0.1);

/// Nothing is dropped.
const KEEPS_ALL: Retention = Retention { events: usize::MAX, age: None };

pub(crate) fn measure(options: &Options) -> anyhow::Result<Section> {
    let mut start = Growth::new("start to ready line", "ms");
    let mut append = Growth::new("append of 50 events", "µs");
    let mut page = Growth::new("a page of replay, from the middle", "ms");
    let mut list = Growth::new("GET /api/incidents", "ms");
    let sizes: Vec<u64> = SIZES.into_iter().filter(|size| *size <= options.events).collect();
    for events in &sizes {
        let (size, file) = (*events as f64, past::of(*events)?);
        let journal = file.to_str().context("the folder's name is no text")?;
        start.at(size, median(starts(journal, TIMES)?));
        let stream = Sqlite::open(&file, KEEPS_ALL)?.stream().clone();
        let server = Server::start(journal)?;
        page.at(size, median(repeat(|round| read_page(&server, &stream, events / 2 + round * PAGE))?));
        list.at(size, median(repeat(|_| list_incidents(&server))?));
        drop(server);
        append.at(size, appends(*events)?);
    }
    let rows = [
        start.rows("start, exponent", FLAT),
        append.rows("append, exponent", FLAT),
        page.rows("page, exponent", FLAT),
        list.rows("incidents, exponent", FLAT),
    ];
    Ok(Section {
        name: "growth",
        about: format!("journals of {sizes:?} events, each figure from the smallest to the largest"),
        rows: rows.into_iter().flatten().collect(),
        note: None,
    })
}

fn repeat(mut figure: impl FnMut(u64) -> anyhow::Result<f64>) -> anyhow::Result<Vec<f64>> {
    (0..TIMES as u64).map(&mut figure).collect()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// Milliseconds until a client that was at a position has the events of a page.
fn read_page(server: &Server, stream: &StreamId, after: u64) -> anyhow::Result<f64> {
    let start = Instant::now();
    let mut counter = server.count(&format!("?after={stream}/{after}"))?;
    counter.up_to(after + PAGE)?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn list_incidents(server: &Server) -> anyhow::Result<f64> {
    let start = Instant::now();
    let answer = server.request("GET /api/incidents", "")?;
    ensure!(answer.starts_with("HTTP/1.1 200 "), "the listing was refused: {answer}");
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

/// Microseconds of an append, each waited for.
fn appends(events: u64) -> anyhow::Result<f64> {
    let file = past::copy_of(events)?;
    let journal = Sqlite::open(&file, KEEPS_ALL)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut index = 0;
    let mut record = past::record("growth", 1, false)?;
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < APPENDS {
        let batch: Vec<_> = (0..BATCH)
            .map(|_| {
                index += 1;
                record.place = Place::At(index);
                record.kind =
                    if index == 1 { MessageType::IncidentStarted } else { MessageType::AgentAction };
                record.clone()
            })
            .collect();
        runtime.block_on(journal.append(batch.into()))?;
        count += 1;
    }
    ensure!(journal.extent().head == events + index, "events are missing");
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(count))
}
