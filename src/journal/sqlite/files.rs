//! Whether the files of an open journal are still the files at its path, unchanged by others.
//!
//! SQLite goes on with a file that was removed or replaced, and what it writes there is gone with the process. So before
//! every commit, and every second without one, the files at the path are compared with those that were opened. Only
//! `stat` is used: SQLite's locks on a file end when the process closes any descriptor of it. Of the log, on which SQLite has
//! no locks, the header is read every second.
//!
//! - A file that is not at its path, or another one in its place, stops the journal until it is put back. Meanwhile
//!   nothing is written, so it is then as it was.
//! - A file that was changed in place stops the journal until the restart, which judges it. A database file changes in
//!   place by checkpoints alone, after which the log says that more of it was moved. A checkpoint that the writer did
//!   not make is legitimate, if the events are still there: another program made it.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::super::error::{Trouble, TroubleKind};
use super::head::{self, Head};
use super::identity;
use super::place::{Changed, Id, Place, Stamp, beside, changed};
use super::readers::reader;
use super::wal::{self, Frames, Tended};
use super::walk::Walk;
use crate::contract::StreamId;
use crate::shell;

/// How many of the oldest and of the newest events are checked after another program has changed the database file.
const SAMPLE: u64 = 1_000;

/// How often the beginning of the log is read.
const AGAIN: Duration = Duration::from_millis(900);

/// Bytes of the header of a write-ahead log, and of the header of each page in it.
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// The files of an open journal.
pub(super) struct Files {
    journal: PathBuf,
    database: Stamp,
    /// The head that is in the database file, without the log.
    base: Option<(StreamId, Head, i64)>,
    /// How far checkpoints had come.
    frames: Option<Frames>,
    log: Stamp,
    /// The index of the log, which connections of all processes share.
    shared: Option<Id>,
    /// When the beginning of the log was last read.
    log_read: Instant,
    ruined: Option<Trouble>,
    /// What to do, once the database is gone and what it had is somewhere else.
    rescued: Option<String>,
    /// Why no copy could be made, if it is gone and what it had is nowhere else.
    only_here: Option<String>,
}

impl Files {
    /// The files of a journal that was just opened and written to.
    pub(super) fn of(journal: &Path, connection: &Connection) -> std::io::Result<Self> {
        Ok(Self {
            journal: journal.to_owned(),
            database: Stamp::of(journal)?,
            base: base(journal),
            frames: wal::frames(connection).ok(),
            log: Stamp::of(&beside(journal, "wal"))?,
            shared: Id::at(&beside(journal, "shm")).ok(),
            log_read: Instant::now(),
            ruined: None,
            rescued: None,
            only_here: None,
        })
    }

    pub(super) fn journal(&self) -> &Path {
        &self.journal
    }

    /// Whether the log is still at its place.
    pub(super) fn has_its_log(&self) -> bool {
        Id::at(&beside(&self.journal, "wal")).is_ok_and(|found| found == self.log.id)
    }

    pub(super) fn is_rescued(&self) -> bool {
        self.rescued.is_some()
    }

    /// The database has no name any more, and no copy could be made, for this reason.
    pub(super) fn is_only_here(&mut self, why: String) {
        self.only_here = Some(why);
    }

    /// Whether what the database had is gone with the process.
    pub(super) fn would_be_lost(&self) -> bool {
        self.only_here.is_some() && self.rescued.is_none()
    }

    /// The database has no name any more, and everything that it had is in this file.
    pub(super) fn is_rescued_in(&mut self, file: &Path) {
        let (rescued, journal) = (shell::file(file), shell::file(&self.journal));
        self.rescued = Some(format!(
            "the file that the server had open is gone, but every event of it is in {rescued}. Stop the server, move what is left of {journal} \
             away, give {rescued} and {rescued}-head the names {journal} and {journal}-head, and start the server again"
        ));
    }

    pub(super) fn place(&self) -> Place {
        Place::new(&self.journal, self.database.id)
    }

    /// Whether a file was changed in place, or replaced by a copy. Then nothing must be written into it any more.
    pub(super) fn is_ruined(&self) -> bool {
        self.ruined.is_some()
    }

    /// Takes the files as they are now, after a commit of the writer, perhaps with a checkpoint.
    pub(super) fn note(&mut self, log: Tended) {
        self.frames = log.frames;
        if !log.moved {
            return;
        }
        match Stamp::of(&self.journal) {
            Ok(now) if now.id == self.database.id => (self.database, self.base) = (now, base(&self.journal)),
            // Once it is put back, it has been changed by this checkpoint.
            _ => self.frames = None,
        }
        if let Ok(now) = Stamp::of(&beside(&self.journal, "wal"))
            && now.id == self.log.id
        {
            self.log = now;
        }
    }

    /// Compares the files with those that were opened.
    ///
    /// # Errors
    /// What happened to them, and what to do.
    pub(super) fn check(
        &mut self,
        connection: &Connection,
        stream: &StreamId,
        head: Head,
    ) -> Result<(), Trouble> {
        if let Some(ruined) = &self.ruined {
            return Err(ruined.clone());
        }
        let database = self.there(&self.journal, self.database.id)?;
        let log = self.there(&beside(&self.journal, "wal"), self.log.id)?;
        if let Some(shared) = self.shared {
            self.there(&beside(&self.journal, "shm"), shared)?;
        }
        if log.length < self.log.length && log_is_cut(connection, log.length).map_err(Trouble::from)? {
            return Err(self.ruin("its -wal file was truncated"));
        }
        self.log = log;
        if self.log_read.elapsed() >= AGAIN {
            self.log_read = Instant::now();
            let path = beside(&self.journal, "wal");
            // Another program may be writing it at the first look.
            let is_overwritten = || wal::is_overwritten(&path).map_err(|error| unreadable(&path, &error));
            if is_overwritten()? && is_overwritten()? {
                return Err(self.ruin("its -wal file was overwritten"));
            }
        }
        if database == self.database {
            return Ok(());
        }
        if is_cut(connection, database.length, self.database.length).map_err(Trouble::from)? {
            return Err(self.ruin("it was truncated"));
        }
        let frames = wal::frames(connection).map_err(Trouble::from)?;
        let is_checkpoint =
            self.frames.is_none_or(|before| frames.moved != before.moved || frames.all < before.all);
        let base = base(&self.journal);
        if !is_checkpoint && base != self.base {
            return Err(self.ruin("another program has written to it"));
        }
        if let Some(wrong) = wrong(&self.journal, stream, head).map_err(Trouble::from)? {
            return Err(self.ruin(&format!("another program has written to it: {wrong}")));
        }
        (self.database, self.base, self.frames) = (database, base, Some(frames));
        Ok(())
    }

    /// Marks the journal as changed in place.
    pub(super) fn ruin(&mut self, what: &str) -> Trouble {
        let (journal, shown) = (self.journal.display(), shell::file(&self.journal));
        let trouble = changed(format!(
            "{journal}: {what}. Stop the server and put a backup in place, or see `incident check-journal {shown}`"
        ));
        self.ruined = Some(trouble.clone());
        trouble
    }

    /// Marks the journal as replaced by a copy of its file, to which the log belongs as well.
    pub(super) fn copied(&mut self) -> Trouble {
        let trouble = changed(format!(
            "another file is in the place of {}, with the same content: restart the server, which goes on with it and its -wal file",
            self.journal.display()
        ));
        self.ruined = Some(trouble.clone());
        trouble
    }

    /// The file at a path, which has to be the one that was opened.
    fn there(&self, path: &Path, id: Id) -> Result<Stamp, Trouble> {
        let what = match Stamp::of(path) {
            Ok(found) if found.id == id => return Ok(found),
            Ok(_) => format!("another file is in the place of {}", path.display()),
            Err(error) if error.kind() == ErrorKind::NotFound => match path.parent() {
                Some(folder) if !folder.exists() => {
                    format!("the folder {} was removed or renamed", folder.display())
                }
                _ => format!("{} was removed or renamed", path.display()),
            },
            Err(error) => return Err(unreadable(path, &error)),
        };
        let todo = if let Some(rescued) = &self.rescued {
            rescued.clone()
        } else if let Some(why) = &self.only_here {
            format!(
                "the file that the server had open is gone, and its events can't be copied to a file beside it ({why}): do not stop the server, but \
                 make room there, or the folder again, or let it be written, and they are copied within a minute"
            )
        } else if path == self.journal {
            "put it back, and the server continues; if it is gone, restart the server with a backup or a new journal"
                .to_owned()
        } else {
            "put it back, and the server continues; if it is gone, restart the server: the events are in the journal's file"
                .to_owned()
        };
        Err(changed(format!("{what}: {todo}")))
    }
}

fn unreadable(path: &Path, error: &Error) -> Trouble {
    Trouble::from_error(TroubleKind::Io, Changed(format!("{}: {error}", path.display())))
}

/// The head in a database file, without the log.
fn base(journal: &Path) -> Option<(StreamId, Head, i64)> {
    identity::alone(journal).and_then(|connection| head::load(&connection)).ok().flatten()
}

/// Whether the log is shorter than what is in it.
fn log_is_cut(connection: &Connection, length: u64) -> rusqlite::Result<bool> {
    let frames = wal::frames(connection)?.all;
    let page: u64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    Ok(frames > 0 && length < LOG_HEADER + frames * (FRAME_HEADER + page))
}

/// Whether the database file was made shorter, and not by a checkpoint after a `VACUUM`.
fn is_cut(connection: &Connection, now: u64, before: u64) -> rusqlite::Result<bool> {
    let page: u64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    if now < page {
        return Ok(true);
    }
    let pages: u64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    Ok(now < before && now < pages * page)
}

/// What is wrong with the database, as a connection sees it that remembers nothing.
fn wrong(journal: &Path, stream: &StreamId, head: Head) -> rusqlite::Result<Option<String>> {
    let connection = reader(journal)?;
    // A row that cannot be read is wrong; a file that cannot be opened at the moment is another trouble.
    let loaded = match head::load(&connection) {
        Ok(loaded) => loaded,
        Err(error) if is_passing(&error) => return Err(error),
        Err(error) => return Ok(Some(error.to_string())),
    };
    if !loaded
        .is_some_and(|(named, found, seal)| named == *stream && found == head && found.seal(stream) == seal)
    {
        return Ok(Some("its table `head` is not what the server wrote".to_owned()));
    }
    match head::misfit(&connection, head) {
        Ok(None) => {}
        Ok(wrong) => return Ok(wrong),
        Err(error) => return Ok(Some(error.to_string())),
    }
    let Head { position, oldest, base, .. } = head;
    let first = Walk::new(&connection, oldest.saturating_sub(1), base, position.min(oldest + SAMPLE));
    let after = position.saturating_sub(SAMPLE).max(oldest.saturating_sub(1));
    let last = if after < oldest {
        None
    } else {
        let before =
            connection
                .query_row("SELECT checksum FROM events WHERE position = ?1", [after], |row| row.get(0));
        match before {
            Ok(before) => Some(Walk::new(&connection, after, before, position)),
            Err(error) => return Ok(Some(format!("event {after}: {error}"))),
        }
    };
    for mut walk in [Some(first), last].into_iter().flatten() {
        while let Some(step) = walk.step() {
            if let Err(damage) = step {
                return Ok(Some(format!("event {} is damaged: {}", damage.position, damage.what)));
            }
        }
    }
    Ok(None)
}

fn is_passing(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, DatabaseBusy, DatabaseLocked, OutOfMemory};
    matches!(error.sqlite_error_code(), Some(CannotOpen | DatabaseBusy | DatabaseLocked | OutOfMemory))
}
