//! What other programs commit into an open journal.
//!
//! SQLite counts for each connection how often others have committed. Some of that changes nothing that a journal has: a
//! `VACUUM`, a checkpoint that empties the log. So after each such commit the whole journal is judged, as `check-journal`
//! does, before the server writes the next event behind it.
//!
//! The count also grows when a commit of the connection itself fails and is rolled back. What others have committed since can't be told
//! from that, so the journal is judged then as well; but nobody is to look for another program because of it.

use rusqlite::Connection;

use super::head::Head;
use super::judge::{Case, Depth, judge};
use super::schema;
use super::watchdog::Work;
use super::witness::Remembered;
use crate::contract::StreamId;

/// The commits of other programs that were seen.
pub(super) struct Others {
    seen: i64,
    /// Whether a commit of the server itself is in progress, or has failed since it was looked.
    in_doubt: bool,
}

impl Others {
    /// Takes those before as seen.
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        Ok(Self { seen: version(connection)?, in_doubt: false })
    }

    /// Whether another program has committed something since.
    pub(super) fn have_committed(&self, connection: &Connection) -> rusqlite::Result<bool> {
        Ok(version(connection)? != self.seen)
    }

    /// The server begins a commit of its own. It has failed unless its end is told.
    pub(super) fn own_begins(&mut self) {
        self.in_doubt = true;
    }

    /// That commit has succeeded.
    pub(super) fn own_ends(&mut self) {
        self.in_doubt = false;
    }

    /// What is wrong with the journal, if another program has committed something since. The connection has a transaction, so
    /// that nobody writes meanwhile.
    pub(super) fn wrong(
        &mut self,
        connection: &Connection,
        stream: &StreamId,
        head: Head,
        seal: i64,
        work: &Work,
    ) -> rusqlite::Result<Option<String>> {
        let now = version(connection)?;
        if now == self.seen {
            return Ok(None);
        }
        let format = schema::version(connection)?;
        if format != schema::VERSION {
            return Ok(Some(format!(
                "another program has changed it: the number of its format, SQLite's user_version, is {format} now; it was {}",
                schema::VERSION
            )));
        }
        let case = Case {
            connection,
            format,
            upgraded_from: None,
            stream,
            head,
            seal,
            remembered: Ok(Remembered::Nothing),
            has_log: true,
            wrong_log: None,
            // The log and the witness file are in motion.
            holder: Some("this server"),
        };
        let judged = work.checking(|| judge(&case, Depth::Everything, &mut |_, _| {}));
        if let Some(wrong) = judged.refusal() {
            let who = if self.in_doubt {
                "a commit has failed, or another program has changed it"
            } else {
                "another program has changed it"
            };
            return Ok(Some(format!("{who}: {wrong}")));
        }
        let when = if self.in_doubt { "a commit that failed" } else { "another program had written into it" };
        for warning in judged.warnings() {
            tracing::warn!("the journal was checked after {when}: {warning}");
        }
        tracing::info!("the journal was checked after {when}; every event is as it was");
        self.seen = now;
        Ok(None)
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}
