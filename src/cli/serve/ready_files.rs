//! Whether the process that a server becomes would start with the files as they are now. With a mistake in one of them it would not,
//! and nobody would start it again.

use std::path::{Path, PathBuf};

use tracing::Dispatch;

use super::args::Serve;
use super::handover;
use super::tls::TlsArgs;
use crate::cli::exit::Failure;
use crate::cli::{receivers_file, scenarios, sinks_file};

/// The files that are read at each start. The file with tokens is none of them: what it had is handed over.
#[derive(Clone)]
pub(super) struct ReadyFiles {
    tls: TlsArgs,
    receivers: Option<PathBuf>,
    sinks: Option<PathBuf>,
    scenarios: Option<PathBuf>,
}

impl ReadyFiles {
    pub(super) fn of(serve: &Serve) -> Self {
        Self {
            tls: serve.tls.clone(),
            receivers: serve.receivers.clone(),
            sinks: serve.sinks.clone(),
            scenarios: serve.scenarios.clone(),
        }
    }

    /// Reads them as a start does, without a word.
    ///
    /// # Errors
    /// What would end the start.
    pub(super) fn check(&self) -> Result<(), String> {
        let checked = tracing::dispatcher::with_default(&Dispatch::none(), || self.read());
        checked.map_err(|failure| failure.text().map(|(text, _)| text).unwrap_or_default())
    }

    fn read(&self) -> Result<(), Failure> {
        if !self.tls.has_pipe() {
            self.tls.read()?;
        }
        if let Some(file) = self.receivers.as_deref().filter(is_file) {
            receivers_file::read(file)?;
        }
        if let Some(file) = self.sinks.as_deref().filter(is_file) {
            sinks_file::read(file)?;
        }
        scenarios::read(self.scenarios.as_deref()).map(drop)
    }
}

/// What came through a pipe is handed over.
fn is_file(path: &&Path) -> bool {
    !handover::is_pipe(path)
}
