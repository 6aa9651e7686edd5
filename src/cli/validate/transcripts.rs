//! Writes transcripts to files, never over one another or over a file that is checked.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::check::Transcript;
use crate::cli::exit::{Exit, Failure};

/// A folder for transcripts.
pub(super) struct Transcripts {
    folder: PathBuf,
    /// Files that must not be overwritten: those on the command line, and the transcripts of this run.
    taken: HashSet<PathBuf>,
}

impl Transcripts {
    /// Opens the folder `wanted`, or a new temporary one.
    pub(super) fn open<'a>(
        wanted: Option<&Path>,
        inputs: impl Iterator<Item = &'a PathBuf>,
    ) -> Result<Self, Failure> {
        let (folder, created) = match wanted {
            Some(folder) => (folder.to_owned(), std::fs::create_dir_all(folder)),
            None => fresh(),
        };
        created.map_err(|error| {
            Failure::new(Exit::Internal, anyhow!("cannot create {}: {error}", folder.display()))
        })?;
        // A path that can't be resolved does not exist, so it can't be overwritten.
        Ok(Self { folder, taken: inputs.filter_map(|path| path.canonicalize().ok()).collect() })
    }

    /// Writes a transcript, one message per line, and returns its path.
    pub(super) fn keep(&mut self, stem: &str, transcript: &Transcript) -> Result<PathBuf, Failure> {
        let names = std::iter::once(format!("{stem}.ndjson"));
        let mut paths = names
            .chain((2..).map(|number: u64| format!("{stem}-{number}.ndjson")))
            .map(|name| self.folder.join(name));
        let free = |path: &PathBuf| !path.canonicalize().is_ok_and(|path| self.taken.contains(&path));
        let Some(path) = paths.find(free) else {
            return Err(Failure::new(
                Exit::Internal,
                anyhow!("no free file name in {}", self.folder.display()),
            ));
        };
        // JSON has line breaks only between tokens, where a space means the same. Findings name lines of this file.
        let lines = transcript.frames.iter().map(|frame| frame.raw.replace(['\n', '\r'], " ") + "\n");
        std::fs::write(&path, lines.collect::<String>()).map_err(|error| {
            Failure::new(Exit::Internal, anyhow!("cannot write {}: {error}", path.display()))
        })?;
        self.taken.extend(path.canonicalize().ok());
        Ok(path)
    }
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
