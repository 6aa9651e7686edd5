//! A file that is opened before the work and written after it: what can't be written is said before anything begins.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::exit::{Exit, Failure};

/// The opened file. What stood in it stays until [`OutFile::write`]; one that was made anew vanishes if it is dropped
/// without that.
#[derive(Debug)]
pub(super) struct OutFile {
    path: PathBuf,
    file: File,
    /// Nobody else's: it was not there before.
    unwritten: bool,
}

impl OutFile {
    /// # Errors
    /// A path that can't be written is a mistake of the command line.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let opened = match File::create_new(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                OpenOptions::new().write(true).open(path).map(|file| (file, false))
            }
            created => created.map(|file| (file, true)),
        };
        match opened {
            Ok((file, unwritten)) => Ok(Self { path: path.to_owned(), file, unwritten }),
            Err(error) => {
                let error = anyhow!("{} cannot be written: {error}", path.display());
                Err(Failure::new(Exit::Usage, error).hint("name a file in a folder that is there"))
            }
        }
    }

    /// Replaces what stood in it.
    pub(super) fn write(mut self, text: &str) -> Result<(), Failure> {
        // A pipe or a terminal has no length to cut.
        let is_file = self.file.metadata().is_ok_and(|metadata| metadata.is_file());
        let cut = if is_file { self.file.set_len(0) } else { Ok(()) };
        let written = cut.and_then(|()| self.file.write_all(text.as_bytes()));
        self.unwritten = false;
        written.map_err(|error| {
            Failure::new(Exit::Internal, anyhow!("{} cannot be written: {error}", self.path.display()))
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if self.unwritten {
            // An empty file at worst.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
