//! `incident report`

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::ValueHint;

use super::exit::{Exit, Failure};
use super::outfile::OutFile;
use super::remote::{Remote, incident_path};
use super::runtime;
use crate::contract::Envelope;
use crate::report::History;
use crate::scenario::did_you_mean;

/// Write a post-incident report as Markdown
#[derive(Debug, clap::Args)]
pub(super) struct Report {
    /// A recording, as watch --record makes it (- for stdin), or the id of an incident on the server
    #[arg(value_name = "FILE|ID", value_hint = ValueHint::FilePath)]
    source: PathBuf,

    #[command(flatten)]
    remote: Remote,

    /// Of a recording with several incidents, report only this one
    #[arg(long, value_name = "ID")]
    incident: Option<String>,

    /// Write to a file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

impl Report {
    pub(super) fn run(mut self) -> Result<Exit, Failure> {
        let output = self.output.as_deref().map(OutFile::open).transpose()?;
        let text = self.text()?;
        match output {
            Some(output) => output.write(&text)?,
            None => std::io::stdout().write_all(text.as_bytes())?,
        }
        Ok(Exit::Fine)
    }

    /// What exists as a file is one; what can be an id and is no file is asked of the server.
    fn text(&mut self) -> Result<String, Failure> {
        let name = self.source.to_string_lossy().into_owned();
        if name == "-" {
            let mut bytes = Vec::new();
            let read = std::io::stdin().read_to_end(&mut bytes).map(|_| bytes);
            return self.recorded("stdin", read);
        }
        if self.source.exists() {
            return self.recorded(&name, fs::read(&self.source));
        }
        let is_id = !looks_like_a_file(&self.source) && incident_path(&name).is_ok();
        if !is_id {
            let error = anyhow!("{name} is not there, and no incident can be called so");
            return Err(Failure::new(Exit::Usage, error)
                .hint("name a recording (`incident watch --record FILE` makes one) or an incident's id"));
        }
        if self.incident.is_some() {
            let error = anyhow!("--incident chooses from a recording, and no file is called {name}");
            return Err(Failure::new(Exit::Usage, error));
        }
        self.remote.read_files()?;
        runtime()?.block_on(self.remote.report(&name))
    }

    fn recorded(&self, name: &str, read: std::io::Result<Vec<u8>>) -> Result<String, Failure> {
        let bytes =
            read.map_err(|error| Failure::new(Exit::Usage, anyhow!("{name} cannot be read: {error}")))?;
        let histories = History::all(&events(name, &bytes)?);
        if histories.is_empty() {
            let error = anyhow!("{name} has no event of an incident");
            return Err(Failure::new(Exit::Usage, error).hint("`incident watch --record FILE` records some"));
        }
        let chosen: Vec<&History> = match self.incident.as_deref() {
            None => histories.iter().collect(),
            Some(id) => vec![choose(name, id, &histories)?],
        };
        let reports: Vec<String> = chosen.into_iter().map(History::markdown).collect();
        Ok(reports.join("\n---\n\n"))
    }
}

/// What nobody would give an incident as its name: the file was forgotten or misspelt.
fn looks_like_a_file(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["ndjson", "jsonl", "json", "toml", "md"].contains(&extension))
}

/// A recording's events: one envelope a line, empty lines left out. A report of half of what happened would look
/// like one of the whole, so a line that can't be read is an error.
fn events(name: &str, bytes: &[u8]) -> Result<Vec<Envelope>, Failure> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let lines = bytes.split(|b| *b == b'\n').zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim_ascii().is_empty());
    lines.map(|(line, number)| event(line).map_err(|why| unreadable(name, bytes, number, &why))).collect()
}

fn event(line: &[u8]) -> Result<Envelope, String> {
    let envelope: Envelope = serde_json::from_slice(line).map_err(|error| reason(&error))?;
    let message = envelope.message().map_err(|error| format!("{}: {}", envelope.kind, reason(&error)))?;
    if !message.kind().is_control() && envelope.incident().is_empty() {
        return Err(format!("{} without a subject: of which incident?", envelope.kind));
    }
    Ok(envelope)
}

/// Without the place in the text that was read, which is not the place in the file.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

fn unreadable(name: &str, bytes: &[u8], number: usize, why: &str) -> Failure {
    let error = anyhow!("{name}:{number} is not an event of a stream: {why}");
    let lines = bytes.split(|b| *b == b'\n').count();
    let hint = if number == lines && !bytes.ends_with(b"\n") {
        "the recording was cut off within its last line: remove that line"
    } else {
        "`incident validate FILE` tells everything that is wrong with a recording"
    };
    Failure::new(Exit::Usage, error).hint(hint)
}

fn choose<'a>(name: &str, id: &str, histories: &'a [History]) -> Result<&'a History, Failure> {
    if let Some(history) = histories.iter().find(|history| history.incident.id == id) {
        return Ok(history);
    }
    let known = || histories.iter().map(|history| history.incident.id.as_str());
    let error = match did_you_mean(id, known()) {
        Some(near) => anyhow!("{name} has no incident {id:?}: did you mean {near:?}?"),
        None => anyhow!("{name} has no incident {id:?}: it has {}", known().collect::<Vec<_>>().join(", ")),
    };
    Err(Failure::new(Exit::Usage, error))
}
