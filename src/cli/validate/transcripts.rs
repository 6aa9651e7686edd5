//! Where transcripts are kept: never over one another, never over what is judged.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::check::Transcript;
use crate::cli::exit::{Exit, Failure};

/// A folder that takes transcripts.
pub(super) struct Transcripts {
    folder: PathBuf,
    /// What must not be written to: the files that were given, and the transcripts of this run.
    taken: HashSet<PathBuf>,
}

impl Transcripts {
    /// The wanted folder, or a new one among the temporary files.
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
        // What can't be resolved does not exist, and so can't be overwritten.
        Ok(Self { folder, taken: inputs.filter_map(|path| path.canonicalize().ok()).collect() })
    }

    /// Writes a transcript, one frame a line, and says where.
    pub(super) fn keep(&mut self, stem: &str, transcript: &Transcript) -> Result<PathBuf, Failure> {
        let names = std::iter::once(format!("{stem}.ndjson"));
        let mut paths = names
            .chain((2..).map(|number: u64| format!("{stem}-{number}.ndjson")))
            .map(|name| self.folder.join(name));
        let free = |path: &PathBuf| !path.canonicalize().is_ok_and(|path| self.taken.contains(&path));
        let Some(path) = paths.find(free) else {
            return Err(Failure::new(
                Exit::Internal,
                anyhow!("no name is left in {}", self.folder.display()),
            ));
        };
        // JSON has no line break but between its tokens; one here would move the lines that findings name.
        let lines = transcript.frames.iter().map(|frame| frame.raw.replace(['\n', '\r'], " ") + "\n");
        std::fs::write(&path, lines.collect::<String>()).map_err(|error| {
            Failure::new(Exit::Internal, anyhow!("cannot write {}: {error}", path.display()))
        })?;
        self.taken.extend(path.canonicalize().ok());
        Ok(path)
    }
}

/// A folder that nobody else has or could have made before: its name can't be guessed.
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
