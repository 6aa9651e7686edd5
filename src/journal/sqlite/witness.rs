//! The witness file: a small file beside the database that records the last commit. SQLite silently drops a damaged end
//! of its WAL; this file shows that events which clients have received are missing.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::chain;
use super::place::{Id, beside};

/// The position and checksum of the last commit that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastCommit {
    pub(super) position: u64,
    pub(super) checksum: i64,
}

/// The open witness file.
pub(super) struct Witness {
    path: PathBuf,
    file: File,
}

/// What the witness file contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remembered {
    /// Nothing: the file does not exist, or it is new.
    Nothing,
    /// Not a commit: the file is damaged.
    Unreadable,
    /// The last commit.
    Commit(LastCommit),
}

impl Witness {
    /// Opens or creates the file and reads it.
    pub(super) fn open(journal: &Path) -> std::io::Result<(Self, Remembered)> {
        let path = beside(journal, "head");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        let remembered = parse_file(&mut file)?;
        Ok((Self { path, file }, remembered))
    }

    /// Reads the file without creating it.
    pub(super) fn read(journal: &Path) -> std::io::Result<Remembered> {
        match File::open(beside(journal, "head")) {
            Ok(mut file) => parse_file(&mut file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Remembered::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Writes the file for a new journal, durable.
    pub(super) fn create(journal: &Path, commit: LastCommit) -> std::io::Result<()> {
        let mut file = File::create(beside(journal, "head"))?;
        file.write_all(line(commit).as_bytes())?;
        file.sync_all()
    }

    /// Records a commit in one write of a fixed length. The write is not synchronous: after a power cut the file may be
    /// older than the journal, which is harmless. A file that was removed or replaced is made again.
    pub(super) fn remember(&mut self, commit: LastCommit) -> std::io::Result<()> {
        if !Id::at(&self.path).is_ok_and(|at| Id::of(&self.file).is_ok_and(|own| own == at)) {
            self.file =
                OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&self.path)?;
            tracing::warn!(
                file = %self.path.display(),
                "the journal's witness file was removed or replaced while the server runs; the server made it again"
            );
        }
        self.file.seek(SeekFrom::Start(0))?;
        let line = line(commit);
        self.file.write_all(line.as_bytes())?;
        // Another program may have written more into it.
        if self.file.metadata()?.len() > line.len() as u64 {
            self.file.set_len(line.len() as u64)
        } else {
            Ok(())
        }
    }
}

fn parse_file(file: &mut File) -> std::io::Result<Remembered> {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(0) => Ok(Remembered::Nothing),
        Ok(_) => Ok(parse(&text).map_or(Remembered::Unreadable, Remembered::Commit)),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Ok(Remembered::Unreadable),
        Err(error) => Err(error),
    }
}

fn line(commit: LastCommit) -> String {
    let body = format!("{:016x} {:016x}", commit.position, commit.checksum);
    format!("{body} {:016x}\n", chain::of_text(&body))
}

fn parse(text: &str) -> Option<LastCommit> {
    let mut parts = text.trim_end().split(' ');
    let mut next = || u64::from_str_radix(parts.next()?, 16).ok();
    let commit = LastCommit { position: next()?, checksum: next()?.cast_signed() };
    (line(commit) == text).then_some(commit)
}
