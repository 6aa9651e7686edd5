//! The one judgement about a journal file. The start of a server and `check-journal` both ask here, so that neither
//! accepts what the other refuses.

use rusqlite::Connection;

use super::commit::Open;
use super::head::{self, Head, Hint, Tail};
use super::walk::{Damage, Walk};
use super::witness::Remembered;
use super::{identity, incidents, keys, running};
use crate::contract::StreamId;

/// How many damaged places a result names. Further ones are only counted.
const NAMED: usize = 5;

/// How many of the newest events a start checks. A journal with no more is checked as a whole.
pub(super) const NEWEST: u64 = 1_000;

/// The name of the check that compares the file with the witness file.
pub(super) const WITNESS: &str = "witness";

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The newest events and incidents, so that a start takes no longer with a larger journal.
    Newest,
    /// Everything.
    Everything,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The check's name.
    pub name: &'static str,
    /// What the check found, or what is wrong.
    pub outcome: Result<String, String>,
    /// Whether a server starts although the check failed, with a warning.
    pub is_minor: bool,
}

/// What is judged.
pub(super) struct Case<'a> {
    pub(super) connection: &'a Connection,
    pub(super) format: i64,
    /// The older format of the file, if what is judged is a copy of it that was upgraded.
    pub(super) upgraded_from: Option<i64>,
    pub(super) stream: &'a StreamId,
    pub(super) head: Head,
    /// The seal that is stored with the head.
    pub(super) seal: i64,
    /// What the witness file says, or why it cannot be read.
    pub(super) remembered: Result<Remembered, String>,
    /// Whether the write-ahead log had content before the file was opened.
    pub(super) has_log: bool,
    /// What is wrong with the file that has the log's name.
    pub(super) wrong_log: Option<&'a str>,
    /// The process that has the journal open, if there is one. Its witness file and its log are in motion.
    pub(super) holder: Option<&'a str>,
}

/// The judgement.
pub(super) struct Judged {
    /// Position of the last event before the first damage; the head if nothing is damaged.
    pub(super) sound_to: u64,
    /// Index of the newest event of each open incident.
    pub(super) open: Open,
    /// What the witness file says about the newest events.
    pub(super) tail: Tail,
    pub(super) checks: Vec<Checked>,
}

impl Judged {
    /// What is wrong, if a server must not start.
    pub(super) fn refusal(&self) -> Option<&str> {
        let mut failed = self.checks.iter().filter(|checked| !checked.is_minor);
        failed.find_map(|checked| checked.outcome.as_ref().err().map(String::as_str))
    }

    /// What is wrong although a server may start.
    pub(super) fn warnings(&self) -> impl Iterator<Item = &str> {
        let minor = self.checks.iter().filter(|checked| checked.is_minor);
        minor.filter_map(|checked| checked.outcome.as_ref().err().map(String::as_str))
    }
}

impl Checked {
    /// A check that cannot read the file counts as failed.
    pub(super) fn new(name: &'static str, found: rusqlite::Result<Result<String, String>>) -> Self {
        let outcome = found.unwrap_or_else(|error| Err(format!("{name}: {error}")));
        Self { name, outcome, is_minor: false }
    }

    fn minor(self) -> Self {
        Self { is_minor: true, ..self }
    }
}

/// Judges a file. Calls `progress` with the number of events checked so far and the number of all events to check.
pub(super) fn judge(case: &Case<'_>, depth: Depth, progress: &mut dyn FnMut(u64, u64)) -> Judged {
    let is_whole = depth == Depth::Everything || case.kept() <= NEWEST;
    let (chain, sound_to) = case.chain(is_whole, progress);
    let mut open = Open::new();
    let mut checks = vec![
        Checked::new("format", case.marks()),
        Checked::new("pages", case.pages(is_whole)),
        Checked { name: "head", outcome: case.sealed(), is_minor: false },
        Checked { name: "chain", outcome: chain, is_minor: false },
        Checked::new("incidents", case.incidents(is_whole, &mut open)),
        Checked::new("plans", case.plans(is_whole)).minor(),
    ];
    if is_whole {
        checks.push(Checked::new("keys", case.keys()).minor());
    }
    checks.push(Checked::new("log", case.log()));
    let (witness, tail) = case.witness();
    checks.push(witness);
    Judged { sound_to, open, tail, checks }
}

impl Case<'_> {
    fn kept(&self) -> u64 {
        (self.head.position + 1).saturating_sub(self.head.oldest)
    }

    fn marks(&self) -> rusqlite::Result<Result<String, String>> {
        let wrong = identity::wrong(self.connection, self.format)?;
        let format = self.format;
        let found = match self.upgraded_from {
            None => format!("format {format} of a journal"),
            Some(older) => {
                format!("the older format {older} of a journal, which a server upgrades to format {format}")
            }
        };
        Ok(wrong.map_or(Ok(found), Err))
    }

    /// Runs the integrity check of SQLite.
    fn pages(&self, is_whole: bool) -> rusqlite::Result<Result<String, String>> {
        // The table of incidents is small, and open incidents are found through its database indexes.
        let check = if is_whole { "PRAGMA integrity_check(5)" } else { "PRAGMA integrity_check(incidents)" };
        let mut statement = self.connection.prepare(check)?;
        let found =
            statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(if found == ["ok"] {
            Ok("SQLite's integrity check passes".to_owned())
        } else {
            Err(format!("SQLite's integrity check fails: {}", found.join("; ")))
        })
    }

    fn sealed(&self) -> Result<String, String> {
        if self.head.seal(self.stream) == self.seal {
            return Ok(format!("stream {}, at {}", self.stream, self.head.position));
        }
        Err("the checksum of its table `head` does not match".to_owned())
    }

    /// Checks the checksums of the events. Returns the result and the position of the last event before any damage.
    fn chain(&self, is_whole: bool, progress: &mut dyn FnMut(u64, u64)) -> (Result<String, String>, u64) {
        let position = self.head.position;
        match head::misfit(self.connection, self.head) {
            Ok(None) => {}
            Ok(Some(wrong)) => return (Err(wrong), self.walk_all(progress)),
            Err(error) => return (Err(error.to_string()), self.walk_all(progress)),
        }
        let (first, walk) = self.walk(is_whole);
        let mut walk = match walk {
            Ok(walk) => walk,
            Err(error) => return (Err(format!("event {}: {error}", first - 1)), first.saturating_sub(1)),
        };
        let of = (position + 1).saturating_sub(first);
        let mut damages = Vec::new();
        while let Some(step) = walk.step() {
            damages.extend(step.err());
            progress((walk.at + 1).saturating_sub(first), of);
        }
        if damages.is_empty() && of > 0 && walk.before != self.head.checksum {
            let what = "its checksum is not the one in the table `head`".to_owned();
            damages.push(Damage { position, what });
        }
        let Some(damage) = damages.first() else {
            let found = if of == 0 {
                "the journal has no events".to_owned()
            } else {
                format!("{of} events, {first} to {position}: no gap, every checksum matches")
            };
            return (Ok(found), position);
        };
        let sound_to = damage.position.saturating_sub(1);
        let named = damages.iter().take(NAMED);
        let named = named.map(|damage| format!("event {} is damaged: {}", damage.position, damage.what));
        let mut list = named.collect::<Vec<_>>().join("; ");
        if damages.len() > NAMED {
            list += &format!("; and {} more damaged places", damages.len() - NAMED);
        }
        (Err(list), sound_to)
    }

    /// The first position to check, and the walk from there.
    fn walk(&self, is_whole: bool) -> (u64, rusqlite::Result<Walk<'_>>) {
        let Head { position, oldest, base, .. } = self.head;
        let first = if is_whole { oldest } else { oldest.max((position + 1).saturating_sub(NEWEST)) };
        if first == oldest {
            return (first, Ok(Walk::new(self.connection, oldest.saturating_sub(1), base, position)));
        }
        let before = self.connection.query_row(
            "SELECT checksum FROM events WHERE position = ?1",
            [first - 1],
            |row| row.get(0),
        );
        (first, before.map(|before| Walk::new(self.connection, first - 1, before, position)))
    }

    /// The last position before the first damage, where the head does not fit the events.
    fn walk_all(&self, progress: &mut dyn FnMut(u64, u64)) -> u64 {
        let hint = Hint { head: self.head, is_sealed: self.sealed().is_ok() };
        let Ok(mut walk) = Walk::all(self.connection, Some(hint)) else { return 0 };
        let (start, of) = (walk.at, walk.until.saturating_sub(walk.at));
        while let Some(Ok(_)) = walk.step() {
            progress(walk.sound_to - start, of);
        }
        walk.sound_to
    }

    fn incidents(&self, is_whole: bool, open: &mut Open) -> rusqlite::Result<Result<String, String>> {
        if let Some(wrong) = incidents::wrong(self.connection, is_whole)? {
            return Ok(Err(wrong));
        }
        match incidents::unfinished(self.connection)? {
            Ok(found) => *open = found,
            Err(wrong) => return Ok(Err(wrong)),
        }
        let all: u64 = self.connection.query_row(
            &format!("SELECT count(*) FROM incidents WHERE {}", incidents::KEPT),
            [],
            |row| row.get(0),
        )?;
        Ok(Ok(format!(
            "{all}, {} of them open; every incident begins and ends at the recorded positions",
            open.len()
        )))
    }

    fn plans(&self, is_whole: bool) -> rusqlite::Result<Result<String, String>> {
        Ok(match incidents::wrong_plan(self.connection, is_whole)? {
            Some(subject) => Err(format!(
                "the checksum of the plan of {subject} does not match: it cannot be continued by its plan"
            )),
            None => Ok("every checksum matches".to_owned()),
        })
    }

    fn keys(&self) -> rusqlite::Result<Result<String, String>> {
        let wrong = match keys::wrong(self.connection)? {
            Some(wrong) => Some(wrong),
            None => keys::lost(self.connection)?,
        };
        if let Some(wrong) = wrong {
            return Ok(Err(format!("{wrong}: its publisher's next repeat would be a new event")));
        }
        let count: u64 = self.connection.query_row("SELECT count(*) FROM keys", [], |row| row.get(0))?;
        Ok(Ok(format!(
            "{count} keys of published events; every key has its event, every published event its key"
        )))
    }

    fn log(&self) -> rusqlite::Result<Result<String, String>> {
        if let Some(holder) = self.holder {
            return Ok(Ok(format!("not checked: {holder} has the journal open")));
        }
        if let Some(wrong) = self.wrong_log {
            return Ok(Err(wrong.to_owned()));
        }
        let remembered = self.remembered.as_ref().copied().unwrap_or(Remembered::Unreadable);
        let wrong = running::wrong(self.connection, self.has_log, remembered, self.head.position)?;
        Ok(wrong.map_or_else(|| Ok("the file has all events, or its -wal file is there".to_owned()), Err))
    }

    fn witness(&self) -> (Checked, Tail) {
        let checked = |outcome, is_minor| Checked { name: WITNESS, outcome, is_minor };
        if let Some(holder) = self.holder {
            let found = format!("not checked: {holder} has the journal open");
            return (checked(Ok(found), false), Tail::Whole);
        }
        let remembered = match &self.remembered {
            Ok(remembered) => *remembered,
            Err(error) => {
                let wrong = format!("the witness file cannot be read: {error}");
                return (checked(Err(wrong), false), Tail::Unknown);
            }
        };
        let tail = match head::compare(self.connection, self.head, remembered) {
            Ok(tail) => tail,
            Err(error) => return (checked(Err(error.to_string()), false), Tail::Unknown),
        };
        let result = match &tail {
            Tail::Whole => checked(
                Ok("the witness file has the same newest event, or an older one".to_owned()),
                false,
            ),
            Tail::Unknown => checked(
                Err("the witness file does not confirm the newest events: a server continues them as a new stream"
                    .to_owned()),
                true,
            ),
            Tail::Lost { from, to } => {
                checked(Err(format!("events {from} to {to} were published and are missing")), false)
            }
        };
        (result, tail)
    }
}
