//! Writes transcripts to files, never over one another or over a file that is checked.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use jiff::Timestamp;

use crate::check::{Observed, TranscriptHeader};
use crate::cli::exit::{Exit, Failure};

/// A folder for transcripts. A temporary one is made with the first transcript, and removed if none is kept.
pub(super) struct Transcripts {
    folder: RefCell<Option<PathBuf>>,
    /// Whether the folder is a temporary one.
    is_temporary: bool,
    /// Files that must not be overwritten: those on the command line, and the transcripts of this run.
    taken: RefCell<HashSet<PathBuf>>,
}

impl Transcripts {
    /// Opens the folder `wanted`, so that one that can't be made fails before anything is played.
    pub(super) fn open<'a>(
        wanted: Option<&Path>,
        inputs: impl Iterator<Item = &'a Path>,
    ) -> Result<Self, Failure> {
        if let Some(folder) = wanted {
            std::fs::create_dir_all(folder).map_err(|error| cannot_create(folder, &error))?;
        }
        // A path that can't be resolved does not exist, so it can't be overwritten.
        let taken = inputs.filter_map(|path| path.canonicalize().ok()).collect();
        Ok(Self {
            folder: RefCell::new(wanted.map(Path::to_owned)),
            is_temporary: wanted.is_none(),
            taken: RefCell::new(taken),
        })
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        if let Some(folder) = &*self.folder.borrow() {
            return Ok(folder.clone());
        }
        let (folder, created) = fresh();
        created.map_err(|error| cannot_create(&folder, &error))?;
        *self.folder.borrow_mut() = Some(folder.clone());
        Ok(folder)
    }

    /// Begins a transcript. The moments in its header are set when it begins.
    pub(super) fn begin(&self, stem: &str, header: TranscriptHeader) -> Result<OpenTranscript, Failure> {
        let folder = self.folder()?;
        let mut taken = self.taken.borrow_mut();
        let names = std::iter::once(format!("{stem}.ndjson"));
        let mut paths = names
            .chain((2..).map(|number: u64| format!("{stem}-{number}.ndjson")))
            .map(|name| folder.join(name));
        let free = |path: &PathBuf| !path.canonicalize().is_ok_and(|path| taken.contains(&path));
        let Some(path) = paths.find(free) else {
            return Err(Failure::new(Exit::Internal, anyhow!("no free file name in {}", folder.display())));
        };
        let file = File::create(&path).map_err(|error| cannot_write(&path, &error))?;
        taken.extend(path.canonicalize().ok());
        Ok(OpenTranscript { path, file: BufWriter::new(file), header })
    }

    /// Removes the temporary folder if nothing is kept in it.
    pub(super) fn finish(&self) {
        if let (true, Some(folder)) = (self.is_temporary, &*self.folder.borrow()) {
            // It fails if something is kept in the folder.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// A transcript that is being written.
pub(super) struct OpenTranscript {
    path: PathBuf,
    file: BufWriter<File>,
    header: TranscriptHeader,
}

impl OpenTranscript {
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
        writeln!(self.file, "{line}").map_err(|error| cannot_write(&self.path, &error))
    }

    /// Keeps the file, and returns its path.
    pub(super) fn keep(mut self) -> Result<PathBuf, Failure> {
        self.file.flush().map_err(|error| cannot_write(&self.path, &error))?;
        Ok(self.path)
    }

    /// Removes the file.
    pub(super) fn discard(self) {
        drop(self.file);
        // If it can't be removed, a file too many stays.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn cannot_create(folder: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Internal, anyhow!("cannot create {}: {error}", folder.display()))
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
