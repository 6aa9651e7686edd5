//! A journal whose file has lost its name while a server has it open: it was removed, or another file took its place, such as
//! the copy that a program which synchronises folders makes. What it has is gone with the process, and only the process can
//! read it. So a whole journal is made of it under a name beside the old one.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::super::open_error::OpenError;
use super::super::stop::Stop;
use super::backup;
use super::head::Head;
use super::identity::{self, Identity};
use super::lock::Lock;
use super::place::beside;
use super::running;
use super::target::Target;
use crate::contract::StreamId;

/// How many names are tried: those that begin as the journal's does, and then some that are not too long whatever the journal is called.
const NAMES: u32 = 100;
const SHORT_NAMES: u32 = 10;

/// How many copies are written at most, if none of them can be given its name.
const COPIES: u32 = 3;

/// Whether the database has no name any more. Its lock is on the database itself, on Linux only.
#[cfg(target_os = "linux")]
pub(super) fn is_nameless(lock: &Lock) -> bool {
    use std::os::unix::fs::MetadataExt;
    lock.descriptor().and_then(|database| database.metadata().ok()).is_some_and(|found| found.nlink() == 0)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_nameless(_: &Lock) -> bool {
    false
}

/// Copies the journal to the first name of `journal.db-rescued`, `journal.db-rescued-2` and so on that is free and can be used, at
/// last to `rescued.db` or `rescued-2.db`, which are short. The copy is the same stream, as after a clean stop. Returns its path.
///
/// # Errors
/// The copy can't be written. Says why the first name could not be used that nobody else has.
pub(super) fn rescue(
    connection: &Connection,
    journal: &Path,
    stream: &StreamId,
    head: Head,
) -> Result<PathBuf, OpenError> {
    let (mut failed, mut copies) = (None, 0);
    for into in names(journal) {
        let error = match Target::new(journal, &into) {
            Ok(target) => {
                copies += 1;
                let copied = backup::copy(connection, target.written(), &Stop::default());
                copied
                    .and_then(|copy| running::set(&copy, false))
                    .map_err(|error| OpenError::unusable(&into, error))?;
                match target.finish(stream, head) {
                    Ok(()) => return Ok(into),
                    Err(error) if copies == COPIES => return Err(error),
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        if is_for_all(&error) {
            return Err(error);
        }
        if !matches!(error, OpenError::Exists { .. } | OpenError::Held { .. }) {
            failed.get_or_insert(error);
        }
    }
    Err(failed.unwrap_or_else(|| OpenError::unusable(journal, "no name is left for a copy")))
}

/// The names that a copy of a journal may get, in turn.
fn names(journal: &Path) -> impl Iterator<Item = PathBuf> {
    let beside_it = numbered(NAMES).map(|name| beside(journal, &name));
    beside_it.chain(numbered(SHORT_NAMES).map(|name| journal.with_file_name(format!("{name}.db"))))
}

/// The newest copy that a server has rescued of a journal, as far as names tell.
pub(super) fn newest(journal: &Path) -> Option<PathBuf> {
    let copies = names(journal).filter_map(|name| {
        let found = name.metadata().ok().filter(|found| found.is_file() && found.len() > 0)?;
        let identity = identity::alone(&name).and_then(|connection| identity::of(&connection));
        let is_journal = matches!(identity, Ok(Identity::Journal { .. }));
        is_journal.then_some((found.modified().ok(), name))
    });
    copies.max_by_key(|(modified, _)| *modified).map(|(_, name)| name)
}

/// Whether another name would not help: the disk is full, or can't be written at all.
fn is_for_all(error: &OpenError) -> bool {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let mut kinds = causes.filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    kinds.any(|kind| {
        matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem)
    })
}

/// `rescued`, `rescued-2` and so on.
fn numbered(names: u32) -> impl Iterator<Item = String> {
    (1..=names).map(|number| if number == 1 { "rescued".to_owned() } else { format!("rescued-{number}") })
}
