//! A journal whose file has lost its name while a server has it open: it was removed, or another file took its place, such as
//! the copy that a program which synchronises folders makes. What it has is gone with the process, and only the process can
//! read it. So a whole journal is made of it under a name beside the old one.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::super::open_error::OpenError;
use super::super::stop::Stop;
use super::backup;
use super::head::Head;
use super::lock::Lock;
use super::place::beside;
use super::running;
use super::target::Target;

/// How many names are tried.
const NAMES: u32 = 100;

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

/// Copies the journal to the first free name of `journal.db-rescued`, `journal.db-rescued-2` and so on. The copy is the same
/// stream, as after a clean stop. Returns its path.
///
/// # Errors
/// The copy can't be written.
pub(super) fn rescue(connection: &Connection, journal: &Path, head: Head) -> Result<PathBuf, OpenError> {
    let mut number = 1;
    loop {
        let name = if number == 1 { "rescued".to_owned() } else { format!("rescued-{number}") };
        let into = beside(journal, &name);
        match Target::new(journal, &into) {
            Ok(target) => {
                let copied = backup::copy(connection, target.written(), &Stop::default());
                copied
                    .and_then(|copy| running::set(&copy, false))
                    .map_err(|error| OpenError::unusable(&into, error))?;
                target.finish(head)?;
                return Ok(into);
            }
            Err(OpenError::Exists { .. } | OpenError::Held { .. }) if number < NAMES => number += 1,
            Err(error) => return Err(error),
        }
    }
}
