//! The sinks of `serve --sinks`, read again while the server runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::sinks_file::{self, SinksFile};
use crate::cli::exit::Failure;
use crate::cli::reread::Files;
use crate::server::{SinkSetup, Sinks};
use crate::token::Digest;

/// A file with sinks, and the files that it names.
pub(super) struct SinkFiles {
    path: PathBuf,
    file: SinksFile,
}

impl SinkFiles {
    /// Reads all of them.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        Ok(Self { path: path.to_owned(), file: sinks_file::read(path)? })
    }

    pub(super) fn setups(&self) -> Vec<SinkSetup> {
        self.file.setups.clone()
    }

    /// The names of the sinks and where they are, for people.
    pub(super) fn described(&self) -> String {
        let sinks = self
            .file
            .setups
            .iter()
            .map(|setup| format!("{} ({})", setup.sink.name, setup.endpoint.http("/")));
        sinks.collect::<Vec<_>>().join(", ")
    }

    /// Replaces the server's sinks soon after one of the files changes, and at once on SIGHUP, which is handled from this
    /// call on. Must be called in a runtime.
    pub(super) fn follow_files(&self, sinks: Arc<Sinks>) -> impl Future<Output = ()> + use<> {
        let mut watched = watch(&self.file.files);
        let path = self.path.clone();
        async move {
            let name = path.display().to_string();
            loop {
                let Some(files) = &mut watched else { return std::future::pending().await };
                if let Err(why) = files.changed().await {
                    tracing::error!("{why}; the previous sinks stay");
                    continue;
                }
                let reading = path.clone();
                let read = tokio::task::spawn_blocking(move || {
                    sinks_file::read(&reading)
                        .map_err(|failure| failure.text().map(|(text, _)| text).unwrap_or_default())
                });
                match read.await {
                    Ok(Ok(file)) => {
                        tracing::info!(sinks = file.setups.len(), "{name} was read again");
                        // It may name other files now.
                        watched = watch(&file.files);
                        sinks.replace(file.setups);
                    }
                    Ok(Err(why)) => tracing::error!("{name}: {why}; the previous sinks stay"),
                    // The runtime ends.
                    Err(_) => return,
                }
            }
        }
    }
}

fn watch(files: &[(PathBuf, Digest)]) -> Option<Files> {
    let files: Vec<(&Path, Digest)> = files.iter().map(|(path, digest)| (path.as_path(), *digest)).collect();
    Files::new(&files)
}
