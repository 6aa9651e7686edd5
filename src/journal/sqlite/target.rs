//! A new journal file that appears under its name when it is complete: it is written under another name, made durable,
//! and renamed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::super::open_error::OpenError;
use super::head::Head;
use super::place::{COMPANIONS, beside, real};
use super::witness::Witness;

/// A file that is being written. What was written is removed if it is dropped before [`Target::finish`].
pub(super) struct Target {
    path: PathBuf,
    written: PathBuf,
}

impl Target {
    /// A file for what is copied from the journal `source`.
    ///
    /// # Errors
    /// There is something else than an empty file; or a write-ahead log beside it has content, which SQLite would take for
    /// the new file's; or it would replace a file of the journal that is copied, which may be empty at the moment.
    pub(super) fn new(source: &Path, path: &Path) -> Result<Self, OpenError> {
        refuse_own(source, path)?;
        refuse_existing(path)?;
        let written = beside(path, &format!("part-{}", std::process::id()));
        let target = Self { path: path.to_owned(), written };
        target.remove();
        Ok(target)
    }

    /// The name to write to.
    pub(super) fn written(&self) -> &Path {
        &self.written
    }

    /// Gives the file its name, together with a witness file that confirms its newest event. No connection to it is
    /// open.
    pub(super) fn finish(self, head: Head) -> Result<(), OpenError> {
        let unusable = |error: std::io::Error| OpenError::unusable(&self.path, error);
        // What SQLite left in the log of the new file belongs into the file, also for one who copies it further.
        let emptied: rusqlite::Result<i64> = Connection::open(&self.written).and_then(|connection| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        });
        emptied.map_err(|error| OpenError::unusable(&self.path, error))?;
        File::open(&self.written).and_then(|file| file.sync_all()).map_err(unusable)?;
        refuse_existing(&self.path)?;
        Witness::create(&self.path, head.last_commit()).map_err(unusable)?;
        fs::rename(&self.written, &self.path).map_err(unusable)?;
        // Makes the names durable. Not every system can do this with a folder.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        Ok(())
    }

    fn remove(&self) {
        // They may not exist.
        let _ = fs::remove_file(&self.written);
        for suffix in COMPANIONS {
            let _ = fs::remove_file(beside(&self.written, suffix));
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Refuses the name of a file that the copied journal has or may get, and a name whose own files would replace the journal.
fn refuse_own(source: &Path, path: &Path) -> Result<(), OpenError> {
    let unusable = |error: std::io::Error| OpenError::unusable(path, error);
    // If the journal does not exist, whoever opens it says so.
    let Ok(journal) = real(source) else { return Ok(()) };
    let copy = real(path).map_err(unusable)?;
    let is_beside = |path: &Path, other: &Path| COMPANIONS.iter().any(|suffix| beside(path, suffix) == other);
    if is_beside(&journal, &copy) || is_beside(&copy, &journal) {
        return Err(OpenError::Exists {
            path: path.to_owned(),
            what: "has a name that belongs to a file of the journal itself",
        });
    }
    Ok(())
}

/// Whatever has the name would be replaced. So nothing may have it but an empty file: not a link, a pipe or a device either.
fn refuse_existing(path: &Path) -> Result<(), OpenError> {
    let refused = |path: &Path, what| Err(OpenError::Exists { path: path.to_owned(), what });
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => return refused(path, "is a folder"),
        Ok(found) if found.is_symlink() => return refused(path, "is a link"),
        Ok(found) if !found.is_file() => return refused(path, "is no regular file"),
        Ok(found) if found.len() > 0 => return refused(path, "already exists"),
        _ => {}
    }
    let log = beside(path, "wal");
    if log.symlink_metadata().is_ok_and(|found| !found.is_file() || found.len() > 0) {
        return refused(&log, "already exists");
    }
    // A witness file of an older journal is replaced.
    let witness = beside(path, "head");
    if witness.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return refused(&witness, "is no regular file");
    }
    Ok(())
}
