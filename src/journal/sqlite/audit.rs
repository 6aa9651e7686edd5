//! The audit of a journal file: checks every event that is kept, where a start checks only the newest ones.

use std::path::Path;

use rusqlite::Connection;

use super::super::open_error::OpenError;
use super::head::{self, Head, Tail};
use super::lock::Lock;
use super::readers::reader;
use super::walk::{Damage, Walk};
use super::witness::Witness;
use super::{chain, incidents, keys, schema};
use crate::contract::StreamId;

/// How many damaged places a result names. Further ones are only counted.
const NAMED: usize = 5;

/// The result of an audit.
#[derive(Debug)]
pub struct Audit {
    /// The stream's name.
    pub stream: StreamId,
    /// Position of the oldest event that is kept.
    pub oldest: u64,
    /// Position of the newest.
    pub head: u64,
    /// Position of the last event before the first damage; the head if nothing is damaged.
    pub sound_to: u64,
    /// The checks, each with its result.
    pub checks: Vec<Checked>,
}

/// One check.
#[derive(Debug)]
pub struct Checked {
    /// The check's name.
    pub name: &'static str,
    /// What the check found, or what is wrong.
    pub outcome: Result<String, String>,
}

impl Audit {
    /// Whether no check failed.
    pub fn is_sound(&self) -> bool {
        self.checks.iter().all(|checked| checked.outcome.is_ok())
    }
}

/// A journal file that is opened for reading only, while a server may have it open.
pub(super) struct Source {
    pub(super) connection: Connection,
    pub(super) stream: StreamId,
    pub(super) head: Head,
    seal: i64,
    /// The process that has the journal open, if there is one.
    holder: Option<String>,
    /// Prevents a server from opening the journal in the meantime.
    _lock: Option<Lock>,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let sqlite = |error: rusqlite::Error| OpenError::unusable(path, error);
        let damaged = |what: String| OpenError::damaged(path, what);
        if !path.is_file() {
            return Err(OpenError::unusable(path, "the file does not exist"));
        }
        let (lock, holder) = match Lock::take(path) {
            Ok(lock) => (Some(lock), None),
            Err(OpenError::Held { holder, .. }) => (None, Some(holder)),
            // The audit only reads, so it goes on without a lock if the folder cannot be written.
            Err(_) => (None, None),
        };
        let connection = reader(path).map_err(sqlite)?;
        let found = schema::version(&connection).map_err(|error| damaged(error.to_string()))?;
        if found > schema::VERSION {
            return Err(OpenError::Newer { path: path.to_owned(), found, known: schema::VERSION });
        }
        if found < schema::VERSION {
            let why = format!(
                "it has the older format {found}: `incident serve --journal` upgrades it to format {}",
                schema::VERSION
            );
            return Err(OpenError::unusable(path, why));
        }
        // All checks read one snapshot, because a server may append in the meantime.
        connection.execute_batch("BEGIN").map_err(sqlite)?;
        let loaded = head::load(&connection).map_err(|error| damaged(error.to_string()))?;
        let (stream, head, seal) = loaded.ok_or_else(|| damaged("the table `head` is empty".to_owned()))?;
        Ok(Self { connection, stream, head, seal, holder, _lock: lock })
    }
}

/// Checks a whole journal file. Calls `progress` with the number of events checked so far and the number of all events.
/// A server may have the file open in the meantime.
///
/// # Errors
/// The file cannot be read at all.
pub fn audit(path: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Audit, OpenError> {
    let source = Source::open(path)?;
    let (chain, sound_to) = source.chain(progress);
    let checks = vec![
        Checked::new("pages", pages(&source.connection)),
        Checked { name: "head", outcome: source.sealed() },
        Checked { name: "chain", outcome: chain },
        Checked::new("incidents", source.incidents()),
        Checked::new("keys", source.keys()),
        Checked::new("witness", source.witness(path)),
    ];
    let Source { stream, head, .. } = source;
    Ok(Audit { stream, oldest: head.oldest, head: head.position, sound_to, checks })
}

impl Checked {
    /// A check that cannot read the file counts as failed.
    fn new(name: &'static str, found: rusqlite::Result<Result<String, String>>) -> Self {
        Self { name, outcome: found.unwrap_or_else(|error| Err(error.to_string())) }
    }
}

impl Source {
    fn sealed(&self) -> Result<String, String> {
        if self.head.seal(&self.stream) == self.seal {
            return Ok(format!("stream {}, at {}", self.stream, self.head.position));
        }
        Err("the checksum of the table `head` does not match".to_owned())
    }

    /// Checks the checksum of every event. Returns the result and the position of the last event before any damage.
    fn chain(&self, progress: &mut dyn FnMut(u64, u64)) -> (Result<String, String>, u64) {
        let Head { position, checksum, oldest, .. } = self.head;
        let kept = (position + 1).saturating_sub(oldest);
        let mut walk = Walk::new(&self.connection, self.head);
        let mut damages = Vec::new();
        loop {
            match walk.step() {
                Ok(Some(step)) => damages.extend(step.err()),
                Ok(None) => break,
                Err(error) => {
                    damages.push(Damage {
                        position: walk.at + 1,
                        what: format!("{error}; later events were not checked"),
                    });
                    break;
                }
            }
            progress((walk.at + 1).saturating_sub(oldest), kept);
        }
        if damages.is_empty() && kept > 0 && walk.before != checksum {
            return (
                Err(format!("the checksum of event {position} is not the one in the table `head`")),
                position - 1,
            );
        }
        let sound_to = damages.first().map_or(position, |first| first.position - 1);
        if damages.is_empty() {
            let found = if kept == 0 {
                "the journal has no events".to_owned()
            } else {
                format!("{kept} events, {oldest} to {position}: no gap, every checksum matches")
            };
            return (Ok(found), sound_to);
        }
        let named =
            damages.iter().take(NAMED).map(|damage| format!("event {}: {}", damage.position, damage.what));
        let mut list = named.collect::<Vec<_>>().join("; ");
        if damages.len() > NAMED {
            list += &format!("; and {} more damaged places", damages.len() - NAMED);
        }
        (Err(list), sound_to)
    }

    fn incidents(&self) -> rusqlite::Result<Result<String, String>> {
        if let Some(wrong) = incidents::wrong(&self.connection)? {
            return Ok(Err(wrong));
        }
        let count = |of: &str| self.connection.query_row(of, [], |row| row.get::<_, u64>(0));
        let all = count("SELECT count(*) FROM incidents")?;
        let open = count("SELECT count(*) FROM incidents WHERE ended = 0")?;
        let mut plans = self.connection.prepare("SELECT subject, plan, plan_checksum FROM incidents")?;
        let mut rows = plans.query([])?;
        while let Some(row) = rows.next()? {
            let (plan, checksum): (Option<String>, Option<i64>) = (row.get(1)?, row.get(2)?);
            if plan.as_deref().map(chain::of_text) != checksum {
                return Ok(Err(format!(
                    "the checksum of the plan of {} does not match",
                    row.get::<_, String>(0)?
                )));
            }
        }
        Ok(Ok(format!(
            "{all}, {open} of them open; every incident begins and ends at the recorded positions"
        )))
    }

    fn keys(&self) -> rusqlite::Result<Result<String, String>> {
        if let Some(wrong) = keys::wrong(&self.connection)? {
            return Ok(Err(wrong));
        }
        let count: u64 = self.connection.query_row("SELECT count(*) FROM keys", [], |row| row.get(0))?;
        Ok(Ok(format!("{count} keys of published events; every key has its event")))
    }

    fn witness(&self, path: &Path) -> rusqlite::Result<Result<String, String>> {
        if let Some(holder) = &self.holder {
            return Ok(Ok(format!("not checked: {holder} has the journal open")));
        }
        let remembered = match Witness::read(path) {
            Ok(remembered) => remembered,
            Err(error) => return Ok(Err(format!("the witness file cannot be read: {error}"))),
        };
        Ok(match head::compare(&self.connection, self.head, remembered)? {
            Tail::Whole => Ok("the witness file has the same newest event, or an older one".to_owned()),
            Tail::Unknown => {
                Err("the witness file does not confirm the newest events; the next start continues as a new stream"
                    .to_owned())
            }
            Tail::Lost { from, to } => Err(format!("events {from} to {to} were published and are missing")),
        })
    }
}

/// Runs the integrity check of SQLite.
fn pages(connection: &Connection) -> rusqlite::Result<Result<String, String>> {
    let mut statement = connection.prepare("PRAGMA integrity_check(5)")?;
    let found =
        statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(if found == ["ok"] { Ok("SQLite's integrity check passes".to_owned()) } else { Err(found.join("; ")) })
}
