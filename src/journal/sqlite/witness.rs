//! A small file beside the database that remembers the last commit. SQLite drops a damaged tail of its WAL in
//! silence; this is how it is noticed that events which clients were told are not there any more.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::{chain, lock};

/// The last commit that was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) position: u64,
    pub(super) checksum: i64,
}

/// The file, open.
pub(super) struct Witness {
    file: File,
}

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Testimony {
    /// There is no file, or it is new.
    Silent,
    /// It is there and can't be believed.
    Unreadable,
    Told(Told),
}

impl Witness {
    /// Opens the file and reads what it says.
    pub(super) fn open(journal: &Path) -> std::io::Result<(Self, Testimony)> {
        let path = lock::beside(journal, "head");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let testimony = heard(&mut file)?;
        Ok((Self { file }, testimony))
    }

    /// What the file says, without making it.
    pub(super) fn read(journal: &Path) -> std::io::Result<Testimony> {
        match File::open(lock::beside(journal, "head")) {
            Ok(mut file) => heard(&mut file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Testimony::Silent),
            Err(error) => Err(error),
        }
    }

    /// Remembers a commit, in one write of a fixed length. It is not synchronised: what a power cut takes from it
    /// only makes it older, and older is harmless.
    pub(super) fn tell(&mut self, told: Told) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(line(told).as_bytes())
    }
}

fn heard(file: &mut File) -> std::io::Result<Testimony> {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(0) => Ok(Testimony::Silent),
        Ok(_) => Ok(parse(&text).map_or(Testimony::Unreadable, Testimony::Told)),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Ok(Testimony::Unreadable),
        Err(error) => Err(error),
    }
}

fn line(told: Told) -> String {
    let body = format!("{:016x} {:016x}", told.position, told.checksum);
    format!("{body} {:016x}\n", chain::of_text(&body))
}

fn parse(text: &str) -> Option<Told> {
    let mut parts = text.trim_end().split(' ');
    let mut next = || u64::from_str_radix(parts.next()?, 16).ok();
    let told = Told { position: next()?, checksum: next()?.cast_signed() };
    (line(told) == text).then_some(told)
}
