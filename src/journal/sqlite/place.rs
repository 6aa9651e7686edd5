//! Which file is at a path, and what is said when it is not the one that was opened.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::error::{Trouble, TroubleKind};
use crate::input_file::{self, Kind};

/// What happened to a file, as an error.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(super) struct Changed(pub(super) String);

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(u64, u64);

impl Id {
    /// The file at a path. A link is another file than the one that it leads to: the next start would not follow it.
    pub(super) fn at(path: &Path) -> std::io::Result<Self> {
        path.symlink_metadata().map(|found| Self::new(&found))
    }

    /// An open file.
    pub(super) fn of(file: &File) -> std::io::Result<Self> {
        file.metadata().map(|found| Self::new(&found))
    }

    #[cfg(unix)]
    pub(super) fn new(found: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self(found.dev(), found.ino())
    }

    /// Elsewhere an open file can be neither removed nor replaced.
    #[cfg(not(unix))]
    fn new(_: &Metadata) -> Self {
        Self(0, 0)
    }
}

/// A file as it was when the server last used it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) id: Id,
    pub(super) length: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        let found = path.symlink_metadata()?;
        Ok(Self { id: Id::new(&found), length: found.len(), modified: found.modified().ok() })
    }
}

/// The database file of an open journal, for those who open it again by its path.
#[derive(Debug, Clone)]
pub(super) struct Place {
    path: PathBuf,
    id: Id,
}

impl Place {
    pub(super) fn new(path: &Path, id: Id) -> Self {
        Self { path: path.to_owned(), id }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// # Errors
    /// The file at the path is not the one that the server has open. It must not be opened if it is empty either:
    /// SQLite then deletes the write-ahead log.
    pub(super) fn check(&self) -> Result<(), Trouble> {
        let found = Stamp::of(&self.path);
        if found.is_ok_and(|found| found.id == self.id && found.length > 0) {
            return Ok(());
        }
        Err(changed(format!("{} is not the file that the server opened", self.path.display())))
    }
}

/// The trouble of a journal whose files were changed; with what happened, and what to do.
pub(super) fn changed(what: String) -> Trouble {
    Trouble::from_error(TroubleKind::Changed, Changed(what))
}

/// The files that the engine and SQLite keep beside a journal.
pub(super) const COMPANIONS: [&str; 5] = ["wal", "shm", "journal", "head", "lock"];

const LINK: &str = "it is a link, which a journal's own files are not: remove it";

/// Refuses a pipe, a device, a folder or a link in the place of a file that belongs to a journal: to open or to read one of
/// them could wait for ever, and what a link leads to would be overwritten.
///
/// # Errors
/// Which one it is, and what it is.
pub(super) fn refuse_unusual(journal: &Path) -> std::io::Result<()> {
    COMPANIONS.iter().try_for_each(|suffix| regular(&beside(journal, suffix)))
}

/// Removes a link from the place of a file that the server makes again, and leaves what it leads to: the next start would be refused.
/// Returns whether there was one.
pub(super) fn remove_link(path: &Path) -> std::io::Result<bool> {
    if !path.is_symlink() {
        return Ok(false);
    }
    std::fs::remove_file(path).map(|()| true)
}

/// Refuses what is at a path, if it is no file. Nothing may be there.
///
/// # Errors
/// What it is.
pub(super) fn regular(path: &Path) -> std::io::Result<()> {
    let wrong = match input_file::kind(path) {
        // What is written to it would be in another file, which may be anybody's.
        Ok(Kind::File) if path.is_symlink() => LINK.to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.is_symlink() => LINK.to_owned(),
        Ok(Kind::File) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Ok(Kind::Stream | Kind::Pipe) => "it is a pipe, not a file: remove it".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(std::io::Error::other(format!("{}: {wrong}", path.display())))
}

/// The absolute path of a file that may not exist yet, without links: a journal that is opened by two names has one lock,
/// and SQLite names its log after the real file. A link may lead to a file that is still to be made. Only such a path is given to
/// SQLite, to which `:memory:` and names that begin with `file:` are no names of files.
///
/// # Errors
/// The path leads nowhere, or to a folder that is still to be made.
pub(super) fn real(path: &Path) -> std::io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match std::fs::canonicalize(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => refuse_folder(&path)?,
            found => return found,
        }
        let folder = match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => std::fs::canonicalize(folder)?,
            None => std::fs::canonicalize(".")?,
        };
        let Some(name) = path.file_name() else { break };
        path = folder.join(name);
        match std::fs::read_link(&path) {
            Ok(target) => path = folder.join(target),
            // It is no link.
            Err(_) => return Ok(path),
        }
    }
    Err(std::io::Error::other("its links lead nowhere"))
}

/// Refuses a path that names a folder by how it ends, such as `data/`. Its last part alone would be taken for the name of a
/// file.
///
/// # Errors
/// It does.
pub(super) fn refuse_folder(path: &Path) -> std::io::Result<()> {
    let text = path.as_os_str().as_encoded_bytes();
    let last = text.rsplit(|byte| std::path::is_separator(char::from(*byte))).next().unwrap_or_default();
    if matches!(last, b"" | b"." | b"..") {
        return Err(std::io::Error::other("it is the name of a folder: name a file in it"));
    }
    Ok(())
}

/// The most links that follow each other, as on Linux.
const LINKS: usize = 40;

/// `journal.db` → `journal.db-lock`, as SQLite names its files beside a database.
pub(super) fn beside(journal: &Path, suffix: &str) -> PathBuf {
    let mut name = journal.file_name().unwrap_or_default().to_owned();
    name.push(format!("-{suffix}"));
    journal.with_file_name(name)
}
