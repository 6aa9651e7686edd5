//! `--record`: every event that arrives, one a line in a file.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::cli::exit::{Exit, Failure};

/// A recording that is being made.
pub(super) struct Recorder {
    path: PathBuf,
    file: File,
    events: u64,
    /// Bytes of whole lines.
    length: u64,
}

/// Nothing that was recorded is written over, nor mixed with something else.
pub(super) fn refuse_existing(path: &Path) -> Result<(), Failure> {
    match path.metadata() {
        Ok(found) if found.is_dir() => {
            Err(Failure::new(Exit::Usage, anyhow!("{} is a folder", path.display()))
                .hint("name a file with --record"))
        }
        Ok(found) if found.len() > 0 => {
            Err(Failure::new(Exit::Usage, anyhow!("{} is there already", path.display()))
                .hint("name another file with --record, or remove this one"))
        }
        // What can't be looked at is told when it is written to.
        _ => Ok(()),
    }
}

impl Recorder {
    /// Begins a file. An empty one may be there.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        // Behind what somebody else has written since it was looked at, never over it.
        let opened = OpenOptions::new().append(true).create(true).open(path);
        let file = opened
            .with_context(|| format!("cannot record to {}", path.display()))
            .map_err(|error| Failure::new(Exit::Usage, error).hint("name a file that can be written"))?;
        refuse_existing(path)?;
        Ok(Self { path: path.to_owned(), file, events: 0, length: 0 })
    }

    /// Takes an event. A line is one write: a process that is killed leaves whole lines and at most a torn last one.
    pub(super) fn take(&mut self, frame: &str) -> Result<(), Failure> {
        // JSON has line breaks between its tokens at most, where a space says the same.
        let line = frame.replace(['\n', '\r'], " ") + "\n";
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            // A disk that was full in the middle of a line: without that part the recording is sound. What is no
            // file can't be cut.
            let _ = self.file.set_len(self.length);
            let what = format!("cannot record to {}", self.path.display());
            return Err(Failure::new(Exit::Internal, anyhow::Error::new(error).context(what)));
        }
        self.length += line.len() as u64;
        self.events += 1;
        Ok(())
    }

    /// For the end: what was recorded to where.
    pub(super) fn told(&self) -> String {
        let s = if self.events == 1 { "" } else { "s" };
        format!("Recorded {} event{s} to {}", self.events, self.path.display())
    }
}
