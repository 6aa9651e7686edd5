//! `trigger --report`: the post-incident report of the incident that was followed.

use std::path::Path;

use crate::cli::exit::Failure;
use crate::cli::out::{lines_of, say};
use crate::cli::outfile::OutFile;
use crate::cli::remote::Remote;
use crate::contract::Envelope;
use crate::report::History;

/// Keeps the events of the incident until it has ended.
pub(super) struct Reporter {
    file: OutFile,
    events: Vec<Envelope>,
}

impl Reporter {
    /// # Errors
    /// The file can't be written. This is known before the incident is started.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        Ok(Self { file: OutFile::open(path)?, events: Vec::new() })
    }

    pub(super) fn take(&mut self, event: &Envelope) {
        self.events.push(event.clone());
    }

    /// Writes the report of the events. If some were lost on the way, the server's report is used, if it can be had.
    pub(super) async fn write(self, remote: &Remote, id: &str, quiet: bool) -> Result<(), Failure> {
        let text = match History::all(&self.events).pop() {
            Some(own) if own.is_whole() => own.markdown(),
            own => match remote.report(id).await {
                Ok(text) => text,
                Err(error) => own.ok_or(error)?.markdown(),
            },
        };
        let path = self.file.path().display().to_string();
        self.file.write(&lines_of(&text))?;
        if !quiet {
            say(format!("The report is in {path}"));
        }
        Ok(())
    }
}
