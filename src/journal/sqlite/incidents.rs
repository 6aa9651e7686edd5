//! The table `incidents`: reading it, and checking it against the events. Only the events have chained checksums; a
//! wrong row here would hide an incident, or let its events be appended twice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::clock::Moment;
use super::super::log::{OpenIncident, Span};
use super::super::record::Stored;
use super::super::transfer::UNPLAYABLE;
use super::commit::{Newest, Open};
use super::{chain, keys};
use crate::contract::MessageType;

/// The condition that something of an incident is kept. The others only keep their ids from being used again.
pub(super) const KEPT: &str = "(ended = 0 OR ended >= (SELECT oldest FROM head))";

/// How many of the newest incidents are checked when a file is opened.
const NEWEST: i64 = 1_000;

/// What is wrong with any incident, or with any of the newest ones. The caller runs SQLite's integrity check.
pub(super) fn wrong(connection: &Connection, all: bool) -> rusqlite::Result<Option<String>> {
    let limit = if all { i64::MAX } else { NEWEST };
    match misplaced(connection, limit)? {
        Some(wrong) => Ok(Some(wrong)),
        None => misfit(connection, limit),
    }
}

/// An event, among the newest `limit`, that does not fit the row of its incident. Without its row, an incident is in no list, and
/// its id is free for another one.
fn misfit(connection: &Connection, limit: i64) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare(
        "SELECT e.subject, e.position, i.ended FROM events e LEFT JOIN incidents i ON i.subject = e.subject
         WHERE e.position > (SELECT max(position) FROM events) - ?1
         AND (i.subject IS NULL OR e.position < i.start OR (e.idx = 1) <> (e.position = i.start)
              OR (i.ended <> 0 AND (e.position > i.ended OR (e.type = ?2) <> (e.position = i.ended))))
         LIMIT 1",
    )?;
    statement
        .query_row(params![limit, MessageType::IncidentResolved.as_str()], |row| {
            let (subject, position): (String, u64) = (row.get(0)?, row.get(1)?);
            Ok(match row.get::<_, Option<u64>>(2)? {
                None => format!("{subject} is not in the table `incidents`, but event {position} is one of it"),
                Some(0) => format!("event {position} does not fit what the table `incidents` has of {subject}"),
                Some(ended) => format!(
                    "event {position} does not fit what the table `incidents` has of {subject}, which ends with event {ended}"
                ),
            })
        })
        .optional()
}

/// The first incident, of all or of the open ones, whose plan, or that it has none, has a wrong checksum.
pub(super) fn wrong_plan(connection: &Connection, all: bool) -> rusqlite::Result<Option<String>> {
    let condition = if all { "" } else { " WHERE ended = 0" };
    let mut statement =
        connection.prepare(&format!("SELECT subject, plan, plan_checksum FROM incidents{condition}"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let subject: String = row.get(0)?;
        if known_plan(row, &subject, 1, 2).is_err() {
            return Ok(Some(subject));
        }
    }
    Ok(None)
}

/// An incident, among the newest `limit`, whose first or last event is not at the position that its row has.
fn misplaced(connection: &Connection, limit: i64) -> rusqlite::Result<Option<String>> {
    let oldest: Option<u64> =
        connection.query_row("SELECT oldest FROM head", [], |row| row.get(0)).optional()?;
    let mut statement = connection.prepare(
        "SELECT i.subject, i.start,
                (SELECT e.subject = i.subject AND e.idx = 1 FROM events e WHERE e.position = i.start),
                i.ended,
                (SELECT e.subject = i.subject AND e.type = ?1 FROM events e WHERE e.position = i.ended)
         FROM incidents i ORDER BY i.start DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![MessageType::IncidentResolved.as_str(), limit])?;
    while let Some(row) = rows.next()? {
        let (start, ended): (u64, u64) = (row.get(1)?, row.get(3)?);
        // What is not kept any more can't be looked at. Positions begin at 1. Of an incident that was copied without its
        // events only the end is known, and stands for the start too.
        let begins = start > 0 && row.get::<_, Option<bool>>(2)?.unwrap_or(Some(start) < oldest);
        let ends =
            ended == 0 || (ended >= start && row.get::<_, Option<bool>>(4)?.unwrap_or(Some(ended) < oldest));
        if !(begins && ends) {
            let subject: String = row.get(0)?;
            return Ok(Some(format!("{subject} does not begin or end where the table `incidents` says")));
        }
    }
    Ok(None)
}

/// Each open incident's newest event, found among the events; or which incident has a gap, has ended or has none.
/// Reads at most the events since the start of the oldest open incident.
pub(super) fn unfinished(connection: &Connection) -> rusqlite::Result<Result<Open, String>> {
    // The cross join makes SQLite read the events once, not once for each open incident.
    let mut statement = connection.prepare(
        "SELECT e.subject, max(e.idx), min(e.idx), count(*), sum(e.type = ?1),
                CASE WHEN min(e.idx) = 1 THEN i.start = min(e.position) ELSE i.start < (SELECT oldest FROM head) END,
                max(e.time_us)
         FROM events e CROSS JOIN incidents i ON i.subject = e.subject AND i.ended = 0
         WHERE e.position >= (SELECT min(start) FROM incidents WHERE ended = 0)
         GROUP BY e.subject",
    )?;
    let mut rows = statement.query([MessageType::IncidentResolved.as_str()])?;
    let mut open = Open::new();
    while let Some(row) = rows.next()? {
        let (subject, newest, first): (Arc<str>, u64, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (many, ends, begins): (u64, u64, bool) = (row.get(3)?, row.get(4)?, row.get(5)?);
        // Retention may have dropped the first events of an incident that a publisher has left open.
        if !begins || (many, ends) != (newest + 1 - first, 0) {
            return Ok(Err(format!("{subject} should be open, but its events have a gap or a resolution")));
        }
        let moment = Moment { time: timestamp(row.get(6)?), steady: Duration::ZERO };
        open.insert(subject, Newest { index: newest, moment });
    }
    let mut statement = connection.prepare("SELECT subject FROM incidents WHERE ended = 0")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let subject: String = row.get(0)?;
        if !open.contains_key(subject.as_str()) {
            return Ok(Err(format!("{subject} should be open, but the journal has no event of it")));
        }
    }
    Ok(Ok(open))
}

/// The incidents without a resolution, in order of their start. A plan with a wrong checksum is empty, also one that is gone.
pub(super) fn open(connection: &Connection) -> rusqlite::Result<Vec<OpenIncident>> {
    let mut statement = connection.prepare_cached(
        "SELECT e.subject, max(e.idx), max(e.time_us) FROM events e
         WHERE e.position >= (SELECT min(start) FROM incidents WHERE ended = 0)
         GROUP BY e.subject HAVING e.subject IN (SELECT subject FROM incidents WHERE ended = 0)",
    )?;
    let newest = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    let newest = newest.collect::<rusqlite::Result<HashMap<String, (u64, i64)>>>()?;
    let mut statement = connection.prepare_cached(
        "SELECT subject, start, plan, plan_checksum FROM incidents WHERE ended = 0 ORDER BY start",
    )?;
    let rows = statement.query_map([], |row| {
        let subject: String = row.get(0)?;
        let plan = known_plan(row, &subject, 2, 3).unwrap_or_else(|WrongPlan| Some(UNPLAYABLE.to_owned()));
        let (index, time_us) = newest.get(&subject).copied().unwrap_or_default();
        Ok(OpenIncident {
            index,
            time: timestamp(time_us),
            subject,
            start: row.get(1)?,
            age: None,
            plan: plan.map(Into::into),
        })
    })?;
    rows.collect()
}

/// The incidents without a resolution and without a plan, in order of their start.
pub(super) fn open_without_plan(connection: &Connection) -> rusqlite::Result<Vec<Span>> {
    let mut statement = connection.prepare_cached(
        "SELECT subject, start, ended FROM incidents WHERE ended = 0 AND plan IS NULL ORDER BY start",
    )?;
    statement.query_map([], span)?.collect()
}

/// A time as a row has it. No event has a time that is out of range.
fn timestamp(us: i64) -> Timestamp {
    Timestamp::from_microsecond(us).unwrap_or_default()
}

/// The newest `limit` incidents, in order of their start.
pub(super) fn newest(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Span>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT subject, start, ended FROM incidents WHERE {KEPT} ORDER BY start DESC LIMIT ?1"
    ))?;
    let spans = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], span)?;
    let mut spans = spans.collect::<rusqlite::Result<Vec<_>>>()?;
    spans.reverse();
    Ok(spans)
}

/// The plan of an open incident; `None` also if its checksum is wrong.
pub(super) fn plan(connection: &Connection, subject: &str) -> rusqlite::Result<Option<Arc<str>>> {
    let plan = connection
        .prepare_cached("SELECT plan, plan_checksum FROM incidents WHERE subject = ?1 AND ended = 0")?
        .query_row([subject], |row| Ok(known_plan(row, subject, 0, 1).unwrap_or_default()))
        .optional()?;
    Ok(plan.flatten().map(Into::into))
}

/// The plan that a copy gets of an incident which is open there. One that is damaged, was lost with the incident's row, or had been dropped
/// at an end that is not copied, can't be played; without any the incident would be a publisher's, and stay open for ever. `first` is the first event of it that is copied.
pub(super) fn copied_plan(connection: &Connection, first: &Stored) -> Option<String> {
    let is_published = keys::is_published(first.data.get());
    if first.index == 1 && is_published {
        return None;
    }
    let read = |select: &str| {
        connection.prepare_cached(select)?.query_row([&first.subject], |row| {
            Ok((known_plan(row, &first.subject, 0, 1), row.get::<_, u64>(2)? > 0))
        })
    };
    let row = read("SELECT plan, plan_checksum, ended FROM incidents WHERE subject = ?1")
        // The row may be sound, and its index damaged.
        .or_else(|_| read("SELECT plan, plan_checksum, ended FROM incidents NOT INDEXED WHERE +subject = ?1"))
        .optional();
    match row {
        Ok(Some((Ok(plan), has_ended))) if plan.is_some() || !has_ended => plan,
        Ok(_) | Err(_) if is_published => None,
        _ => Some(UNPLAYABLE.to_owned()),
    }
}

/// The checksum of a plan is wrong, or it is no text.
struct WrongPlan;

/// The plan in the row of an incident, which may have none.
fn known_plan(
    row: &rusqlite::Row<'_>,
    subject: &str,
    plan: usize,
    checksum: usize,
) -> Result<Option<String>, WrongPlan> {
    let read = || Ok::<_, rusqlite::Error>((row.get::<_, Option<String>>(plan)?, row.get(checksum)?));
    let (plan, checksum): (_, Option<i64>) = read().map_err(|_| WrongPlan)?;
    if checksum == Some(chain::of_plan(subject, plan.as_deref())) { Ok(plan) } else { Err(WrongPlan) }
}

/// The incident with this id.
pub(super) fn of(connection: &Connection, subject: &str) -> rusqlite::Result<Option<Span>> {
    connection
        .prepare_cached(&format!(
            "SELECT subject, start, ended FROM incidents WHERE subject = ?1 AND {KEPT}"
        ))?
        .query_row([subject], span)
        .optional()
}

/// Whether an incident has this id, or had it: the table has it for longer than its events.
pub(super) fn is_taken(connection: &Connection, subject: &str) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM incidents WHERE subject = ?1")?.exists([subject])
}

fn span(row: &rusqlite::Row<'_>) -> rusqlite::Result<Span> {
    let end: u64 = row.get(2)?;
    Ok(Span { subject: row.get(0)?, start: row.get(1)?, end: (end > 0).then_some(end) })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::super::chain::Row;
    use super::super::head::{self, Head};
    use super::super::{events, schema};
    use super::*;
    use crate::contract::StreamId;

    /// A journal whose events before the fifth were dropped, with an open incident.
    fn journal() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        let transaction = connection.transaction().unwrap();
        schema::migrate(&transaction, 0).unwrap();
        let mut head = Head { position: 8, oldest: 5, ..Head::EMPTY };
        for (position, index) in (5..=8).zip(3..) {
            let row = Row { position, time_us: 0, subject: "long", index, kind: "note", data: "{}" };
            head.checksum = events::insert(&transaction, head.checksum, &row).unwrap();
        }
        head::store(&transaction, &StreamId::fresh(), head).unwrap();
        transaction
            .execute("INSERT INTO incidents (subject, start, ended) VALUES ('long', 3, 0)", [])
            .unwrap();
        transaction.commit().unwrap();
        connection
    }

    #[test]
    fn a_row_that_fits_no_event_is_noticed_even_if_its_events_could_have_been_dropped() {
        let judge = |connection: &Connection| {
            let wrong = wrong(connection, true).unwrap();
            wrong.or_else(|| unfinished(connection).unwrap().err())
        };
        assert_eq!(judge(&journal()), None);
        for statement in [
            "UPDATE incidents SET ended = 4",
            "UPDATE incidents SET start = 4, ended = 3",
            "UPDATE incidents SET start = 0",
            "INSERT INTO incidents (subject, start, ended) VALUES ('ghost', 2, 0)",
            "INSERT INTO incidents (subject, start, ended) VALUES ('ghost', 0, 0)",
            "INSERT INTO incidents (subject, start, ended) VALUES ('ghost', 6, 6)",
            "DELETE FROM incidents",
        ] {
            let connection = journal();
            connection.execute(statement, []).unwrap();
            assert!(judge(&connection).is_some(), "{statement}");
        }
        let connection = journal();
        connection
            .execute("INSERT INTO incidents (subject, start, ended) VALUES ('over', 1, 2)", [])
            .unwrap();
        assert_eq!(judge(&connection), None, "all events of it were dropped");
    }

    #[test]
    fn a_plan_is_followed_only_for_its_own_incident_and_none_gets_lost() {
        let connection = journal();
        let add =
            "INSERT INTO incidents (subject, start, ended, plan, plan_checksum) VALUES (?1, 4, 0, ?2, ?3)";
        connection.execute("DELETE FROM incidents", []).unwrap();
        for (subject, text) in [("a", Some("plan of a")), ("b", Some("plan of b")), ("c", None)] {
            connection.execute(add, params![subject, text, chain::of_plan(subject, text)]).unwrap();
        }
        let plans = |connection: &Connection| {
            let open = open(connection).unwrap();
            ["a", "b", "c"].map(|name| {
                let plan = open.iter().find(|open| open.subject == name).unwrap().plan.clone();
                plan.map(|plan| plan.to_string())
            })
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(wrong_plan(&connection, true).unwrap(), None);
        assert_eq!(plans(&connection), [text("plan of a"), text("plan of b"), None]);
        for (statement, wanted) in [
            (
                "UPDATE incidents SET (plan, plan_checksum) = (SELECT plan, plan_checksum FROM incidents WHERE subject = 'b')",
                [text(""), text("plan of b"), text("")],
            ),
            ("UPDATE incidents SET plan = NULL, plan_checksum = NULL", [text(""), text(""), text("")]),
        ] {
            connection.execute(statement, []).unwrap();
            assert!(wrong_plan(&connection, false).unwrap().is_some(), "{statement}");
            assert_eq!(plans(&connection), wanted, "{statement}");
        }
        assert_eq!(plan(&connection, "a").unwrap(), None);
    }
}
