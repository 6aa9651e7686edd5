//! `watch --record`: writes every event that arrives to a file, one per line.

use std::cmp::Ordering;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use tokio::sync::oneshot;

use crate::cli::exit::{Exit, Failure};
use crate::cli::format;
use crate::cli::outfile::refuse_stdout;

/// A recording in progress.
pub(super) struct Recorder {
    path: PathBuf,
    file: File,
    events: u64,
    /// Bytes of the complete lines.
    length: u64,
}

/// Refuses a file that has content: no recording is overwritten or extended.
pub(super) fn refuse_existing(path: &Path) -> Result<(), Failure> {
    refuse_stdout(path).map_err(|failure| {
        failure.hint("--json prints each event on stdout; ./- is a file that is called -")
    })?;
    match path.metadata() {
        Ok(found) if found.is_dir() => {
            Err(Failure::new(Exit::Usage, anyhow!("{} is a folder", path.display()))
                .hint("name a file with --record"))
        }
        Ok(found) if found.len() > 0 => {
            Err(Failure::new(Exit::Usage, anyhow!("{} already exists", path.display()))
                .hint("name another file with --record, or remove this one"))
        }
        // A path that can't be read fails when it is opened.
        _ => Ok(()),
    }
}

/// Opens the recording on a thread of its own: opening a pipe waits for its reader, and the wait may be left.
pub(super) async fn create(path: PathBuf) -> Result<Recorder, Failure> {
    let (opened, opening) = oneshot::channel();
    std::thread::spawn(move || {
        // The wait may be over.
        let _ = opened.send(Recorder::create(&path));
    });
    opening.await.map_err(|error| Failure::new(Exit::Internal, error))?
}

impl Recorder {
    /// Opens the file. It is new or empty.
    fn create(path: &Path) -> Result<Self, Failure> {
        // Append: if another process has written to the file since the check, its data stays.
        let opened = OpenOptions::new().append(true).create(true).open(path);
        let file = opened
            .with_context(|| format!("cannot record to {}", path.display()))
            .map_err(|error| Failure::new(Exit::Usage, error).hint("name a file that can be written"))?;
        // Two programs that record to one file would mix their lines. A pipe or a device is shared by everybody.
        if file.metadata().is_ok_and(|found| found.is_file())
            && matches!(file.try_lock(), Err(TryLockError::WouldBlock))
        {
            let error = anyhow!("another process is recording to {}", path.display());
            return Err(Failure::new(Exit::Usage, error).hint("name another file with --record"));
        }
        refuse_existing(path)?;
        Ok(Self { path: path.to_owned(), file, events: 0, length: 0 })
    }

    /// Writes an event. Each line is one write, so a process that is killed leaves at most its last line incomplete.
    pub(super) fn take(&mut self, frame: &str) -> Result<(), Failure> {
        // JSON has line breaks only between tokens, where a space means the same.
        let line = frame.replace(['\n', '\r'], " ") + "\n";
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            // If the disk was full in the middle of a line, the recording is valid without that line. If this is a pipe,
            // it can't be truncated.
            let _ = self.file.set_len(self.length);
            let what = format!("cannot record to {}", self.path.display());
            return Err(Failure::new(Exit::Internal, anyhow::Error::new(error).context(what)));
        }
        self.length += line.len() as u64;
        self.events += 1;
        Ok(())
    }

    /// How many events were recorded, and where.
    ///
    /// # Errors
    /// They are not there: somebody has removed, renamed, replaced or changed the file meanwhile.
    pub(super) fn summary(&self) -> Result<String, Failure> {
        let (events, path) = (format::count(self.events, "event"), self.path.display());
        let Some(what) = self.wrong() else { return Ok(format!("Recorded {events} to {path}")) };
        Err(Failure::new(Exit::Internal, anyhow!("{events} were recorded to {path}, but {what}")).hint(
            "record again, to a file that nothing else touches: --after 0 begins with the oldest event",
        ))
    }

    /// What is wrong with the file, if anything is. A pipe or a device is not looked at.
    fn wrong(&self) -> Option<String> {
        let own = match self.file.metadata() {
            Ok(own) if own.is_file() => own,
            Ok(_) => return None,
            Err(error) => return Some(format!("it can't be read any more: {error}")),
        };
        let named = match self.path.metadata() {
            Ok(named) => named,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Some("the file was removed or renamed meanwhile".to_owned());
            }
            Err(error) => return Some(format!("the file can't be read any more: {error}")),
        };
        if !is_same(&own, &named) {
            return Some(
                "the file was removed or renamed meanwhile, and another one has its name".to_owned(),
            );
        }
        let (has, wrote) = (own.len(), self.length);
        match has.cmp(&wrote) {
            Ordering::Less => Some(format!("the file was cut meanwhile: it has {has} of {wrote} bytes")),
            Ordering::Greater => {
                Some(format!("something else has written to it: it has {has} bytes, {wrote} were recorded"))
            }
            Ordering::Equal => None,
        }
    }
}

/// Whether two are the same file.
#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, other: &Metadata) -> bool {
    other.is_file()
}
