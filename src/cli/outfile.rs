//! A file that is opened before the work and written after it, so that a path that can't be written fails at once.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::exit::{Exit, Failure};

/// An opened file. Its old content stays until [`OutFile::write`]; a new file is removed if it is dropped without a
/// write.
#[derive(Debug)]
pub(super) struct OutFile {
    path: PathBuf,
    file: File,
    /// The file is new, and nothing has been written to it.
    unwritten: bool,
}

impl OutFile {
    /// # Errors
    /// The path can't be written, which is a usage error.
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
                Err(Failure::new(Exit::Usage, error).hint("name a file in a folder that exists"))
            }
        }
    }

    /// Replaces the content.
    pub(super) fn write(mut self, text: &str) -> Result<(), Failure> {
        // A pipe or a terminal can't be truncated.
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
            // If this fails, an empty file stays.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
