//! The lock that gives a journal to one process at a time: a lock file beside it. The operating system releases the
//! lock when the process ends, even after `kill -9`.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::super::open_error::OpenError;

/// A lock, held until it is dropped.
pub(super) struct Lock {
    file: File,
}

/// Unlocks explicitly: a child process that is just being started may hold a copy of the file descriptor for a moment,
/// so closing the file alone would not release the lock.
impl Drop for Lock {
    fn drop(&mut self) {
        // A lock that cannot be released ends with the process.
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Takes the lock of a journal and writes the id of this process into the lock file.
    pub(super) fn take(journal: &Path) -> Result<Self, OpenError> {
        let path = beside(journal, "lock");
        let unusable =
            |error: std::io::Error| OpenError::unusable(journal, format!("{}: {error}", path.display()));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // The lock is held even if its holder has written nothing.
                let _ = file.read_to_string(&mut holder);
                let holder = if holder.is_empty() { "another process".to_owned() } else { holder };
                return Err(OpenError::Held { path: journal.to_owned(), holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let holder = format!("process {}\n", std::process::id());
        let written = file.set_len(0).and_then(|()| file.write_all(holder.as_bytes()));
        written.map_err(unusable)?;
        Ok(Self { file })
    }
}

/// `journal.db` → `journal.db-lock`, as SQLite names its files beside a database.
pub(super) fn beside(journal: &Path, suffix: &str) -> PathBuf {
    let mut name = journal.file_name().unwrap_or_default().to_owned();
    name.push(format!("-{suffix}"));
    journal.with_file_name(name)
}
