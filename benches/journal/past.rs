//! Journals with a past: files of many events, made once and kept.

use std::fs;
use std::path::PathBuf;

use incident::contract::MessageType;
use incident::journal::{Append, Log, Place, Record, Retention, Sqlite};
use serde_json::value::RawValue;

use crate::common::message;

/// Events of one incident.
const LENGTH: u64 = 1_000;

/// An event of about 400 bytes.
pub(crate) fn record(subject: &str, index: u64, last: bool) -> anyhow::Result<Record> {
    let kind = match index {
        1 => MessageType::IncidentStarted,
        _ if last => MessageType::IncidentResolved,
        _ => MessageType::AgentAction,
    };
    Ok(Record {
        subject: subject.to_owned(),
        place: Place::At(index),
        kind,
        data: RawValue::from_string(message::data())?,
        plan: None,
    })
}

/// A folder on the disk that the project is on: a temporary one may be in memory.
pub(crate) fn folder() -> anyhow::Result<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-journal");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// An empty file of its own.
pub(crate) fn fresh(name: &str) -> anyhow::Result<PathBuf> {
    let file = folder()?.join(name);
    for suffix in ["", "-wal", "-shm", "-head", "-lock"] {
        let mut path = file.clone().into_os_string();
        path.push(suffix);
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(file)
}

/// A journal file with so many events of incidents that are over; it is made when it is not there.
pub(crate) fn of(events: u64) -> anyhow::Result<PathBuf> {
    let name = format!("past-{events}.db");
    let file = folder()?.join(&name);
    if file.exists() && has(&file, events) {
        return Ok(file);
    }
    let file = fresh(&name)?;
    let journal = Sqlite::open(&file, Retention { events: usize::MAX, age: None })?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut written = 0;
    while written < events {
        let length = LENGTH.min(events - written);
        let subject = format!("past-{written}");
        let batch: Vec<Record> =
            (1..=length).map(|index| record(&subject, index, index == length)).collect::<Result<_, _>>()?;
        runtime.block_on(journal.append(batch.into()))?;
        written += length;
    }
    Ok(file)
}

/// A copy of such a file that may be appended to.
pub(crate) fn copy_of(events: u64) -> anyhow::Result<PathBuf> {
    let (past, copy) = (of(events)?, fresh("copy.db")?);
    fs::copy(&past, &copy)?;
    fs::copy(past.with_file_name(format!("past-{events}.db-head")), copy.with_file_name("copy.db-head"))?;
    Ok(copy)
}

fn has(file: &std::path::Path, events: u64) -> bool {
    Sqlite::open(file, Retention { events: usize::MAX, age: None })
        .is_ok_and(|journal| journal.extent().head == events && journal.extent().oldest == 1)
}
