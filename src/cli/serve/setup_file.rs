//! A file that describes receivers or sinks, read again while the server runs: soon after it or a file that it names
//! changes, and at once on SIGHUP.

use std::path::{Path, PathBuf};

use crate::cli::exit::Failure;
use crate::cli::named_files::NamedFiles;
use crate::cli::reread::{self, Files};
use crate::token::Digest;

/// How a file is read, with all that it names.
type Read<T> = fn(&Path) -> Result<NamedFiles<T>, Failure>;

/// A file, and what was read of it.
pub(super) struct SetupFile<T> {
    path: PathBuf,
    /// How it is read while the server runs.
    again: Read<T>,
    found: NamedFiles<T>,
}

impl<T: Clone + Send + 'static> SetupFile<T> {
    /// Reads it with `read` now, and with `again` while the server runs.
    pub(super) fn read(path: &Path, read: Read<T>, again: Read<T>) -> Result<Self, Failure> {
        let found = read(path)?;
        note(path, &found);
        Ok(Self { path: path.to_owned(), again, found })
    }

    pub(super) fn setups(&self) -> &[T] {
        &self.found.setups
    }

    /// Reads the file again whenever it changes, and hands on what is in it then; a file with a mistake changes nothing.
    /// `what` names them in the log: `sinks`. Handles SIGHUP from this call on. Must be called in a runtime.
    pub(super) fn follow<R: Fn(Vec<T>)>(
        &self,
        what: &'static str,
        replace: R,
    ) -> impl Future<Output = ()> + use<T, R> {
        let mut watched = watch(&self.found);
        let (path, again) = (self.path.clone(), self.again);
        async move {
            let name = path.display().to_string();
            loop {
                let Some(files) = &mut watched else { return std::future::pending().await };
                if let Err(why) = files.changed().await {
                    tracing::error!("{why}; the previous {what} stay");
                    continue;
                }
                let reading = path.clone();
                let read = tokio::task::spawn_blocking(move || {
                    again(&reading)
                        .map_err(|failure| failure.text().map(|(text, _)| text).unwrap_or_default())
                });
                match read.await {
                    Ok(Ok(found)) => {
                        tracing::info!("{name} was read again: {} {what}", found.setups.len());
                        // It may name other files now.
                        note(&path, &found);
                        watched = watch(&found);
                        replace(found.setups);
                    }
                    Ok(Err(why)) => tracing::error!("{name}: {why}; the previous {what} stay"),
                    // The runtime ends.
                    Err(_) => return,
                }
            }
        }
    }
}

fn note<T>(path: &Path, found: &NamedFiles<T>) {
    let all = found.files.iter().chain(&found.certificates);
    let named = all.map(|(file, _)| file).filter(|file| *file != path);
    reread::note_named(path, named.cloned().collect());
}

fn watch<T>(found: &NamedFiles<T>) -> Option<Files> {
    Files::with_certificates(&paths(&found.files), &paths(&found.certificates))
}

fn paths(files: &[(PathBuf, Digest)]) -> Vec<(&Path, Digest)> {
    files.iter().map(|(path, digest)| (path.as_path(), *digest)).collect()
}
