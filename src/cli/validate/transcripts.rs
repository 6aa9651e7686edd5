//! Writes transcripts to files of their own: a file that is there stays as it is.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use jiff::Timestamp;

use crate::check::{Observed, TranscriptHeader};
use crate::cli::exit::{Exit, Failure};
use crate::cli::outfile::refuse_stdout;

/// A folder for transcripts. A temporary one is made with the first transcript, and removed if none is kept.
pub(super) struct Transcripts {
    folder: RefCell<Option<PathBuf>>,
    /// Whether the folder is a temporary one.
    is_temporary: bool,
}

impl Transcripts {
    /// Opens the folder `wanted`, so that one that can't be made fails before anything is played.
    pub(super) fn open(wanted: Option<&Path>) -> Result<Self, Failure> {
        if let Some(folder) = wanted {
            refuse_stdout(folder)?;
            std::fs::create_dir_all(folder).map_err(|error| cannot_create(folder, &error))?;
        }
        Ok(Self { folder: RefCell::new(wanted.map(Path::to_owned)), is_temporary: wanted.is_none() })
    }

    fn folder(&self) -> Result<PathBuf, Uncreated> {
        if let Some(folder) = &*self.folder.borrow() {
            return Ok(folder.clone());
        }
        let (folder, created) = fresh();
        if let Err(error) = created {
            return Err(Uncreated { folder, error });
        }
        *self.folder.borrow_mut() = Some(folder.clone());
        Ok(folder)
    }

    /// Begins a transcript. The moments in its header are set when it begins.
    pub(super) fn begin(&self, stem: &str, header: TranscriptHeader) -> Result<OpenTranscript, Failure> {
        let folder = match self.folder() {
            Ok(folder) => folder,
            // Nobody has asked for it: what is checked needs no file.
            Err(why) if self.is_temporary => return Ok(OpenTranscript::none(why.to_string(), header)),
            Err(why) => return Err(cannot_create(&why.folder, &why.error)),
        };
        let names = std::iter::once(format!("{stem}.ndjson"));
        let names = names.chain((2..=MOST_NAMES).map(|number| format!("{stem}-{number}.ndjson")));
        let mut made = names.map(|name| folder.join(name)).map(|path| (File::create_new(&path), path));
        // A link or a pipe is there too.
        let is_there = |made: &std::io::Result<File>| {
            made.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists)
        };
        let Some((file, path)) = made.find(|(made, _)| !is_there(made)) else {
            let error = anyhow!("{MOST_NAMES} transcripts of {stem} are in {}", folder.display());
            return Err(Failure::new(Exit::Usage, error).hint("name another folder with --transcripts"));
        };
        let file = file.map_err(|error| cannot_write(&path, &error))?;
        let left = if self.is_temporary { MOST_BYTES } else { u64::MAX };
        Ok(OpenTranscript { file: Ok((path, BufWriter::new(file))), left, header })
    }
}

impl Drop for Transcripts {
    /// Removes the temporary folder if nothing is kept in it, also after a failure.
    fn drop(&mut self) {
        if let (true, Some(folder)) = (self.is_temporary, &*self.folder.borrow()) {
            // It fails if something is kept in the folder.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// A folder that can't be created.
#[derive(Debug, thiserror::Error)]
#[error("cannot create {}: {error}", folder.display())]
struct Uncreated {
    folder: PathBuf,
    error: std::io::Error,
}

/// The most transcripts of the same name in a folder.
const MOST_NAMES: u32 = 10_000;

/// The most bytes of a transcript that nobody asked for: an hour at full rate would fill the disk.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

/// A transcript that is being written.
pub(super) struct OpenTranscript {
    /// The file with its path, or why there is none.
    file: Result<(PathBuf, BufWriter<File>), String>,
    /// How many bytes may still be written.
    left: u64,
    header: TranscriptHeader,
}

impl OpenTranscript {
    fn none(why: String, header: TranscriptHeader) -> Self {
        Self { file: Err(why), left: u64::MAX, header }
    }

    /// Writes the first line.
    pub(super) fn begin(&mut self, began: Timestamp, arrivals: bool) -> Result<(), Failure> {
        self.header.began = began;
        self.header.arrivals = arrivals;
        self.line(&self.header.line())
    }

    /// Writes an observation.
    pub(super) fn write(&mut self, observed: &Observed) -> Result<(), Failure> {
        self.line(&observed.to_line())
    }

    fn line(&mut self, line: &str) -> Result<(), Failure> {
        let Ok((path, file)) = &mut self.file else { return Ok(()) };
        // What comes after a line that is too much would not be the stream.
        self.left = self.left.saturating_sub(line.len() as u64 + 1);
        if self.left == 0 {
            return Ok(());
        }
        writeln!(file, "{line}").map_err(|error| cannot_write(path, &error))
    }

    /// Whether it lacks the end of what was observed, or everything.
    pub(super) fn warning(&self) -> Option<String> {
        if let Err(why) = &self.file {
            return Some(format!("there is no transcript: {why}; --transcripts DIR names another folder"));
        }
        (self.left == 0).then(|| {
            let size = MOST_BYTES / (1024 * 1024 * 1024);
            format!("the transcript ends after {size} GiB; with --transcripts DIR it has everything")
        })
    }

    /// Keeps the file, and returns its path; `None` if there is no file.
    pub(super) fn keep(self) -> Result<Option<PathBuf>, Failure> {
        let Ok((path, mut file)) = self.file else { return Ok(None) };
        file.flush().map_err(|error| cannot_write(&path, &error))?;
        Ok(Some(path))
    }

    /// Removes the file.
    pub(super) fn discard(self) {
        let Ok((path, file)) = self.file else { return };
        drop(file);
        // If it can't be removed, a file too many stays.
        let _ = std::fs::remove_file(path);
    }
}

fn cannot_create(folder: &Path, error: &std::io::Error) -> Failure {
    let name = folder.display();
    if folder.exists() {
        return Failure::new(Exit::Usage, anyhow!("{name} is not a folder"))
            .hint("name a folder with --transcripts");
    }
    Failure::new(Exit::Usage, anyhow!("cannot create {name}: {error}"))
        .hint("name a folder that can be made with --transcripts")
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Internal, anyhow!("cannot write {}: {error}", path.display()))
}

/// Creates a temporary folder with a random name, which no other process can have created before.
fn fresh() -> (PathBuf, std::io::Result<()>) {
    let mut last = None;
    for _ in 0..8 {
        let name = format!("incident-validate-{:016x}", crate::random::bits());
        let folder = std::env::temp_dir().join(name);
        let created = std::fs::create_dir(&folder);
        if !matches!(&created, Err(error) if error.kind() == ErrorKind::AlreadyExists) {
            return (folder, created);
        }
        last = Some((folder, created));
    }
    last.unwrap_or_else(|| (std::env::temp_dir(), Err(ErrorKind::AlreadyExists.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_that_nobody_asked_for_stops_at_its_limit_and_says_so() {
        let Ok(transcripts) = Transcripts::open(None) else { panic!("a folder") };
        let header = TranscriptHeader::new("x".to_owned(), Timestamp::UNIX_EPOCH, false, None);
        let Ok(mut transcript) = transcripts.begin("x", header) else { panic!("a file") };
        assert_eq!(transcript.left, MOST_BYTES, "it is a temporary one");
        transcript.left = 100;
        for _ in 0..3 {
            assert!(transcript.line(&"x".repeat(39)).is_ok());
        }
        assert!(transcript.warning().is_some_and(|warning| warning.contains("ends after 1 GiB")));
        let Ok(Some(path)) = transcript.keep() else { panic!("it is kept") };
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(kept.lines().count(), 2, "whole lines, and nothing behind the first that is too much");
        let _ = std::fs::remove_file(&path);
        drop(transcripts);
        assert!(!path.parent().is_some_and(Path::exists), "nothing is left");
    }
}
