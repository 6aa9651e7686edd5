//! The witness file: a small file beside the database that records the last commit. SQLite silently drops a damaged end
//! of its WAL; this file shows that events which clients have received are missing.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::place::{Id, beside, regular, remove_link};
use super::{chain, private};
use crate::contract::StreamId;

/// The last commit that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LastCommit {
    pub(super) position: u64,
    pub(super) checksum: i64,
    /// The checksum of the stream's name; `None` in the file of an older version.
    pub(super) stream: Option<i64>,
}

/// The open witness file.
pub(super) struct Witness {
    path: PathBuf,
    file: File,
    /// Which file that is.
    id: Id,
}

/// What the witness file contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remembered {
    /// Nothing: the file does not exist, or it is new.
    Nothing,
    /// Not a commit, or not one of this stream: the file is damaged, or another journal's.
    Unreadable,
    /// The last commit.
    Commit(LastCommit),
}

impl Remembered {
    /// What it says of this stream. Under another name of the file, such as a hard link, another witness file lies beside it: a server that
    /// found none there has given the stream a new name.
    pub(super) fn of(self, stream: &StreamId) -> Self {
        match self {
            Self::Commit(last)
                if last.stream.is_some_and(|named| named != chain::of_text(stream.as_str())) =>
            {
                Self::Unreadable
            }
            same => same,
        }
    }
}

impl Witness {
    /// Opens or creates the file and reads it.
    pub(super) fn open(journal: &Path) -> std::io::Result<(Self, Remembered)> {
        let path = beside(journal, "head");
        let mut file = open(&path)?;
        let remembered = parse_file(&mut file)?;
        let id = Id::of(&file)?;
        Ok((Self { path, file, id }, remembered))
    }

    /// Reads the file without creating it.
    pub(super) fn read(journal: &Path) -> std::io::Result<Remembered> {
        let path = beside(journal, "head");
        regular(&path)?;
        match File::open(path) {
            Ok(mut file) => parse_file(&mut file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Remembered::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Writes the file for a new journal, durable.
    pub(super) fn create(journal: &Path, commit: LastCommit) -> std::io::Result<()> {
        let path = beside(journal, "head");
        regular(&path)?;
        let mut file = private::options().truncate(true).open(path)?;
        file.write_all(line(commit).as_bytes())?;
        file.sync_all()
    }

    /// Makes the file of an older journal say nothing, if there is one. It stays, because it may be locked (`lock.rs`).
    pub(super) fn forget(journal: &Path) -> std::io::Result<()> {
        let path = beside(journal, "head");
        regular(&path)?;
        match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file.set_len(0).and_then(|()| file.sync_all()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
        .map_err(|error| named(&path, &error))
    }

    /// Records a commit, durable, unless the file already says it.
    pub(super) fn confirm(&mut self, commit: LastCommit, remembered: Remembered) -> std::io::Result<()> {
        if remembered == Remembered::Commit(commit) {
            return Ok(());
        }
        let written = self.remember(commit).and_then(|()| self.file.sync_all());
        written.map_err(|error| named(&self.path, &error))
    }

    /// Whether the file is at its path.
    pub(super) fn is_in_place(&self) -> bool {
        Id::at(&self.path).is_ok_and(|at| at == self.id)
    }

    /// Records a commit in one write of a fixed length. The write is not synchronous: after a power cut the file may be
    /// older than the journal, which is harmless. A file that was removed or replaced is made again.
    pub(super) fn remember(&mut self, commit: LastCommit) -> std::io::Result<()> {
        let is_gone = !self.is_in_place();
        if is_gone {
            remove_link(&self.path).map_err(|error| named(&self.path, &error))?;
            self.file = open(&self.path)?;
            self.id = Id::of(&self.file)?;
        }
        self.file.seek(SeekFrom::Start(0))?;
        let line = line(commit);
        self.file.write_all(line.as_bytes())?;
        // Another program may have written more into it.
        if self.file.metadata()?.len() > line.len() as u64 {
            self.file.set_len(line.len() as u64)?;
        }
        if is_gone {
            self.file.sync_all()?;
            tracing::warn!(
                file = %self.path.display(),
                "the journal's witness file was removed or replaced while the server runs; the server made it again"
            );
        }
        Ok(())
    }
}

/// Opens the file, or creates it.
fn open(path: &Path) -> std::io::Result<File> {
    regular(path)?;
    let opened = private::options().read(true).open(path);
    opened.map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
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

pub(super) fn line(commit: LastCommit) -> String {
    let mut body = format!("{:016x} {:016x}", commit.position, commit.checksum);
    if let Some(stream) = commit.stream {
        body += &format!(" {stream:016x}");
    }
    format!("{body} {:016x}\n", chain::of_text(&body))
}

/// Whether bytes can be such a line, as far as a crash has left it.
pub(super) fn is_line(bytes: &[u8]) -> bool {
    let length = line(LastCommit { position: 0, checksum: 0, stream: Some(0) }).len();
    bytes.len() <= length
        && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b' ' | b'\n' | 0))
}

fn parse(text: &str) -> Option<LastCommit> {
    let parts = text.trim_end().split(' ').map(|part| u64::from_str_radix(part, 16));
    let parts: Vec<u64> = parts.collect::<Result<_, _>>().ok()?;
    let (position, checksum, stream) = match *parts {
        [position, checksum, stream, _] => (position, checksum, Some(stream)),
        [position, checksum, _] => (position, checksum, None),
        _ => return None,
    };
    let stream = stream.map(u64::cast_signed);
    let commit = LastCommit { position, checksum: checksum.cast_signed(), stream };
    (line(commit) == text).then_some(commit)
}
