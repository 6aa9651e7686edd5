//! What the writer does beside writing: it watches the journal's files, keeps the write-ahead log small, keeps the
//! witness file, and leaves a whole file at a clean stop.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::super::error::Trouble;
use super::super::open_error::OpenError;
use super::files::Files;
use super::head::Head;
use super::lock::Lock;
use super::replaced;
use super::rescue;
use super::running;
use super::wal::{self, Tended, WriteAheadLog};
use super::witness::Witness;
use crate::contract::StreamId;

/// How long to wait after a copy that could not be made.
const AGAIN: Duration = Duration::from_secs(60);

/// The files of an open journal, apart from the connection to it.
pub(super) struct Upkeep {
    pub(super) files: Files,
    pub(super) log: WriteAheadLog,
    pub(super) witness: Witness,
    pub(super) lock: Arc<Lock>,
    /// Whether the files were not in their places at the last look.
    pub(super) is_away: bool,
    /// Whether the last commit could not be recorded. It was logged.
    pub(super) is_forgetful: bool,
    /// When a copy of a journal without a name was last begun.
    pub(super) tried: Option<Instant>,
}

impl Upkeep {
    /// Whether the journal's files are still those that were opened.
    ///
    /// # Errors
    /// What happened to them, and what to do. Then nothing must be written.
    pub(super) fn look(
        &mut self,
        connection: &Connection,
        stream: &StreamId,
        head: Head,
    ) -> Result<(), Trouble> {
        let found = self.files.check(connection, stream, head);
        let was_away = std::mem::replace(&mut self.is_away, found.is_err());
        if self.is_away && !was_away && !self.files.is_ruined() {
            let journal = self.files.journal();
            let has_log = self.files.has_its_log();
            if has_log && self.lock.descriptor().is_some_and(|open| replaced::is_by_copy(journal, &open)) {
                return Err(self.files.copied());
            }
            // The file that the server has open gets everything: if it was moved, it is the whole journal, and what is in
            // its place is not mixed with a log that belongs to another file.
            self.log.empty_soon(connection);
            self.files.note(Tended { moved: true, frames: wal::frames(connection).ok() });
        }
        // It may lose its name later than it is missed.
        if self.is_away
            && !self.files.is_ruined()
            && rescue::is_nameless(&self.lock)
            && self.rescue(connection, stream, head)
        {
            // It says now where everything is.
            return self.files.check(connection, stream, head);
        }
        found?;
        self.lock.look()?;
        // Without it, a kill would leave a file that looks like a copy without its log, however long nothing was appended.
        if !self.witness.is_in_place() {
            self.remember(stream, head);
        }
        Ok(())
    }

    /// Does not wait before the next copy.
    pub(super) fn try_at_once(&mut self) {
        self.tried = self.tried.and_then(|tried| tried.checked_sub(AGAIN));
    }

    /// Makes a journal of what has no name any more, once. Returns whether there is something else to say since.
    fn rescue(&mut self, connection: &Connection, stream: &StreamId, head: Head) -> bool {
        let is_early = self.tried.is_some_and(|tried| tried.elapsed() < AGAIN);
        if self.files.is_rescued() || is_early {
            return false;
        }
        if self.tried.is_none() {
            tracing::error!(
                "the file of the journal that the server has open was removed: everything that it had is being copied beside it. It would be \
                 lost if the server ended before that is done"
            );
        }
        let copied = rescue::rescue(connection, self.files.journal(), stream, head);
        let is_first = self.tried.replace(Instant::now()).is_none();
        match copied {
            Ok(file) => {
                tracing::error!(file = %file.display(), "everything that the journal had is in this file");
                self.files.is_rescued_in(&file);
                true
            }
            Err(error) => {
                let error = with_causes(&error);
                if is_first {
                    tracing::error!(%error, "the copy could not be made; the server tries again each minute");
                }
                self.files.is_only_here(error);
                is_first
            }
        }
    }

    /// Keeps the write-ahead log small. While retention has more to drop, it does so in small steps.
    pub(super) fn tend(&mut self, connection: &Connection, has_surplus: bool) {
        let log = self.log.tend(connection, if has_surplus { wal::SMALL } else { wal::USUAL });
        self.files.note(log);
    }

    /// Records the last commit. If that fails, events are accepted all the same: the next start can only check less.
    pub(super) fn remember(&mut self, stream: &StreamId, head: Head) {
        let written = self.witness.remember(head.last_commit(stream));
        if let Err(error) = &written
            && !self.is_forgetful
        {
            tracing::warn!(%error, "cannot write the witness file beside the journal, which records the last commit: if it is no file, the next start is refused");
        }
        self.is_forgetful = written.is_err();
    }

    /// Moves everything from the write-ahead log into the journal's file, so that after a clean stop a copy of this one
    /// file is the whole journal. SQLite would do it when the last connection closes, but the last one is a reader's.
    pub(super) fn stop(&self, connection: &Connection) {
        if self.files.is_ruined() {
            // A checkpoint would write into what another program has put there, or into what nobody finds any more. Without it
            // the log stays.
            let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
            return;
        }
        let unmarked = running::set(connection, false);
        if !unmarked.and_then(|()| wal::empty(connection)).is_ok_and(|emptied| emptied) {
            // A program that reads the file at the moment prevents it; nothing is lost then, because the log stays.
            tracing::warn!(
                "the journal's write-ahead log could not be emptied: copy the file together with its -wal file"
            );
        }
    }
}

/// An error with what has caused it.
fn with_causes(error: &OpenError) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
}
