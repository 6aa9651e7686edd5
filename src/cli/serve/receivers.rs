//! The receivers of `serve --receivers`, read again while the server runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::receivers_file::{self, ReceiversFile};
use crate::cli::exit::Failure;
use crate::cli::reread::Files;
use crate::server::{HookSetup, Hooks};
use crate::token::Digest;

/// A file with receivers, and the files with secrets that it names.
pub(super) struct Receivers {
    path: PathBuf,
    file: ReceiversFile,
}

impl Receivers {
    /// Reads all of them.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        Ok(Self { path: path.to_owned(), file: receivers_file::read(path)? })
    }

    pub(super) fn setups(&self) -> Vec<HookSetup> {
        self.file.setups.clone()
    }

    /// Replaces the server's receivers soon after one of the files changes, and at once on SIGHUP, which is handled from
    /// this call on. Must be called in a runtime.
    pub(super) fn follow_files(&self, hooks: Arc<Hooks>) -> impl Future<Output = ()> + use<> {
        let mut watched = watch(&self.file.files);
        let path = self.path.clone();
        async move {
            let name = path.display().to_string();
            loop {
                let Some(files) = &mut watched else { return std::future::pending().await };
                if let Err(why) = files.changed().await {
                    tracing::error!("{why}; the previous receivers stay");
                    continue;
                }
                let reading = path.clone();
                let read = tokio::task::spawn_blocking(move || {
                    receivers_file::read(&reading)
                        .map_err(|failure| failure.text().map(|(text, _)| text).unwrap_or_default())
                });
                match read.await {
                    Ok(Ok(file)) => {
                        tracing::info!(receivers = file.setups.len(), "{name} was read again");
                        // It may name other files now.
                        watched = watch(&file.files);
                        hooks.replace(file.setups);
                    }
                    Ok(Err(why)) => tracing::error!("{name}: {why}; the previous receivers stay"),
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
