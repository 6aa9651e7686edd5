//! A new journal file that appears under its name when it is complete: it is written under another name, made durable,
//! and renamed. Of several processes that make a file of one name, one does it. What a process that was killed has left under
//! such a name is removed by the next one that writes a copy into the folder. Nobody else has such names, so that nothing of
//! anybody else is removed.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::super::open_error::OpenError;
use super::head::Head;
use super::hold::{Hold, Holder};
use super::lock::Claim;
use super::place::{COMPANIONS, beside, real};
use super::witness::Witness;
use super::{private, strangers};
use crate::contract::StreamId;
use crate::new_file::take_name;

/// A file that is being written. What was written is removed if it is dropped before [`Target::finish`].
pub(super) struct Target {
    path: PathBuf,
    written: PathBuf,
    /// Tells others that the written file is no rest.
    _claim: Claim,
    /// Keeps other copies, and servers, from the name.
    _name: Claim,
}

impl Target {
    /// A file for what is copied from the journal `source`.
    ///
    /// # Errors
    /// There is something else than an empty file; or a write-ahead log beside it has content, which SQLite would take for
    /// the new file's; or it would replace a file of the journal that is copied, which may be empty at the moment.
    pub(super) fn new(source: &Path, path: &Path) -> Result<Self, OpenError> {
        refuse_own(source, path)?;
        refuse_held(path)?;
        refuse_existing(path)?;
        let unusable = |error: io::Error| OpenError::unusable(path, error);
        let real = real(path).map_err(unusable)?;
        let lock = beside(&real, "lock");
        let name = Claim::of_name(&real)
            .map_err(|error| OpenError::unusable(path, format!("{}: {error}", lock.display())))?
            .map_err(|holder| OpenError::Held { path: path.to_owned(), holder })?;
        // Only the root of all folders is in none, and is no file.
        remove_rests(real.parent().unwrap_or(Path::new("/")));
        let names = std::iter::repeat_with(|| {
            real.with_file_name(format!("{START}{:0DIGITS$x}{END}", crate::random::bits()))
        });
        let made = make(names.take(TRIES)).map_err(unusable)?;
        let (written, claim) = made.ok_or_else(|| {
            OpenError::unusable(path, "other copies take each name under which it could be written")
        })?;
        Ok(Self { path: path.to_owned(), written, _claim: claim, _name: name })
    }

    /// The name to write to.
    pub(super) fn written(&self) -> &Path {
        &self.written
    }

    /// Gives the file its name, together with a witness file that confirms its newest event. No connection to it is
    /// open.
    pub(super) fn finish(self, stream: &StreamId, head: Head) -> Result<(), OpenError> {
        let unusable = |error: io::Error| OpenError::unusable(&self.path, error);
        // What SQLite left in the log of the new file belongs into the file, also for one who copies it further.
        let emptied: rusqlite::Result<i64> = Connection::open(&self.written).and_then(|connection| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        });
        emptied.map_err(|error| OpenError::unusable(&self.path, error))?;
        File::open(&self.written).and_then(|file| file.sync_all()).map_err(unusable)?;
        refuse_existing(&self.path)?;
        Witness::create(&self.path, head.last_commit(stream)).map_err(unusable)?;
        if let Err(error) = take_name(&self.written, &self.path) {
            // It says nothing of what another program has put there.
            let _ = fs::remove_file(beside(&self.path, "head"));
            return Err(match error.kind() {
                ErrorKind::AlreadyExists => exists(&self.path, "already exists"),
                _ => unusable(error),
            });
        }
        // Makes the names durable. Not every system can do this with a folder.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        remove(&self.written);
    }
}

/// How the name of a file that is being written begins and ends.
const START: &str = ".incident-copy-";
const END: &str = ".part";

/// The hexadecimal digits between the two.
const DIGITS: usize = 16;

/// How many names are tried.
const TRIES: usize = 100;

/// Makes a file under the first of these names that is free, with its claim; `None` if none is. Another copy that looks for
/// rests may take a lock file for one in the moment before it is locked, and then has it for another moment.
fn make(mut names: impl Iterator<Item = PathBuf>) -> io::Result<Option<(PathBuf, Claim)>> {
    names
        .find_map(|name| {
            let made = Claim::take(&name).transpose()?;
            Some(made.and_then(|claim| match private::make(&name) {
                Ok(_) => Ok((name, claim)),
                Err(error) => {
                    remove(&name);
                    Err(error)
                }
            }))
        })
        .transpose()
}

/// The name of a file that is being written, if this is the name of its lock file.
fn locked(name: &str) -> Option<&str> {
    let written = name.strip_suffix("-lock")?;
    let digits = written.strip_prefix(START)?.strip_suffix(END)?;
    let is_hex = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (digits.len() == DIGITS && is_hex).then_some(written)
}

/// Whether a path leads to nothing, or to a file by its own name. This program makes neither links nor folders there.
fn may_be_own(path: &Path) -> bool {
    path.symlink_metadata().map_or_else(|error| error.kind() == ErrorKind::NotFound, |found| found.is_file())
}

/// Removes a written file and the files beside it, of which the lock is the last: they may not exist.
fn remove(written: &Path) {
    let beside = COMPANIONS.iter().map(|suffix| beside(written, suffix));
    for path in std::iter::once(written.to_owned()).chain(beside).filter(|path| may_be_own(path)) {
        let _ = fs::remove_file(path);
    }
}

/// Removes what processes that were killed have left of their copies in a folder, and no other process would ever use. It has
/// a lock file, which is made before everything else.
fn remove_rests(folder: &Path) {
    // A folder that cannot be read keeps its rests.
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let rests: Vec<PathBuf> = names.filter_map(|name| Some(folder.join(locked(name.to_str()?)?))).collect();
    for written in rests.iter().filter(|written| may_be_own(written) && may_be_own(&beside(written, "lock")))
    {
        if let Ok(Some(_claim)) = Claim::take(written) {
            tracing::info!(file = %written.display(), "a copy that was not finished is removed");
            remove(written);
        }
    }
}

/// Refuses the name of a file that the copied journal has or may get, and a name whose own files would replace the journal.
fn refuse_own(source: &Path, path: &Path) -> Result<(), OpenError> {
    let unusable = |error: io::Error| OpenError::unusable(path, error);
    // If the journal does not exist, whoever opens it says so.
    let Ok(journal) = real(source) else { return Ok(()) };
    let copy = real(path).map_err(unusable)?;
    if copy == journal {
        return Err(OpenError::Exists { path: path.to_owned(), what: "is the journal itself".into() });
    }
    let is_beside = |path: &Path, other: &Path| COMPANIONS.iter().any(|suffix| beside(path, suffix) == other);
    if is_beside(&journal, &copy) || is_beside(&copy, &journal) {
        return Err(OpenError::Exists {
            path: path.to_owned(),
            what: "has a name that belongs to a file of the journal itself".into(),
        });
    }
    Ok(())
}

fn exists(path: &Path, what: &'static str) -> OpenError {
    OpenError::Exists { path: path.to_owned(), what: what.into() }
}

/// Refuses a journal that a process has open.
fn refuse_held(path: &Path) -> Result<(), OpenError> {
    if !path.symlink_metadata().is_ok_and(|found| found.is_file() && found.len() > 0) {
        return Ok(());
    }
    match Hold::take(path) {
        Ok(_) => Ok(()),
        Err(Holder { name: holder, .. }) => Err(OpenError::Held { path: path.to_owned(), holder }),
    }
}

/// Whatever has the name would be replaced. So nothing may have it but an empty file: not a link, a pipe or a device either.
fn refuse_existing(path: &Path) -> Result<(), OpenError> {
    let refused = |path: &Path, what| Err(exists(path, what));
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
    // SQLite would take back what is in it from the new file.
    let rest = beside(path, "journal");
    if rest.symlink_metadata().is_ok_and(|found| found.len() > 0) {
        return refused(&rest, "already exists");
    }
    for companion in COMPANIONS.map(|suffix| beside(path, suffix)) {
        if companion.symlink_metadata().is_ok_and(|found| !found.is_file()) {
            return refused(&companion, "is no regular file");
        }
    }
    // The witness file and the lock file of an older journal are replaced.
    strangers::refuse(path)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    /// Another copy that looks for rests has a name for a moment.
    #[test]
    fn a_name_that_is_taken_is_left_for_the_next_one() {
        let folder = std::env::temp_dir().join(format!("incident-target-names-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let names = ["held", "free"].map(|name| folder.join(name));
        let held = Claim::take(&names[0]).unwrap().unwrap();
        let (written, claim) = make(names.clone().into_iter()).unwrap().unwrap();
        assert_eq!(written, names[1]);
        assert!(make(names.into_iter()).unwrap().is_none(), "none is left");
        drop((held, claim));
        fs::remove_dir_all(folder).unwrap();
    }

    /// What a process leaves that is killed in the middle of a copy has the names that the next one looks for.
    #[test]
    fn what_is_written_is_found_by_its_lock_file() {
        let folder = std::env::temp_dir().join(format!("incident-target-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let target = Target::new(&folder.join("journal.db"), &folder.join("copy.db")).unwrap();
        let lock = beside(target.written(), "lock");
        assert!(lock.exists());
        let name = lock.file_name().unwrap().to_str().unwrap();
        assert_eq!(locked(name), target.written().file_name().unwrap().to_str());
        for name in [
            "copy.db-part-1-lock",
            ".incident-0123456789abcdef.part-lock",
            ".incident-copy-0123456789abcdef.part",
            ".incident-copy-0123456789abcdeg.part-lock",
            ".incident-copy-0123456789abcde.part-lock",
        ] {
            assert_eq!(locked(name), None, "{name}");
        }
        drop(target);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::remove_dir_all(folder).unwrap();
    }
}
