//! One process a journal: a lock file beside it, held as long as the process lives, `kill -9` included.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::trouble::OpenError;

/// Held until dropped.
pub(super) struct Lock {
    file: File,
}

/// Not by closing alone: a child process that is being started holds a copy of the descriptor for a moment.
impl Drop for Lock {
    fn drop(&mut self) {
        // A lock that can't be given up ends with the process.
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Takes the lock of a journal and writes this process into the lock file.
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
                // A holder that wrote nothing still holds it.
                let _ = file.read_to_string(&mut holder);
                let holder = if holder.is_empty() { "another process".to_owned() } else { holder };
                return Err(OpenError::Held { path: journal.to_owned(), holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let word = format!("process {}\n", std::process::id());
        let written = file.set_len(0).and_then(|()| file.write_all(word.as_bytes()));
        written.map_err(unusable)?;
        Ok(Self { file })
    }
}

/// `journal.db` → `journal.db-lock`: as SQLite names what lies beside a database.
pub(super) fn beside(journal: &Path, suffix: &str) -> PathBuf {
    let mut name = journal.file_name().unwrap_or_default().to_owned();
    name.push(format!("-{suffix}"));
    journal.with_file_name(name)
}
