//! `incident report`: writes post-incident reports.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::ValueHint;

use super::complete;
use super::exit::{Exit, Failure};
use super::out::{lines_of, print_document};
use super::outfile::OutFile;
use super::recorded::{recorded, recorded_on_stdin};
use super::remote::{Remote, incident_path};
use super::runtime::runtime;
use crate::contract::{Envelope, strange_line};
use crate::report::History;
use crate::scenario::did_you_mean;
use crate::unread_json::without_place;

/// Write the post-incident report of an incident as Markdown
///
/// The report is made from a recording, or by the server that has the incident. The same events always give the same
/// report.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  incident report database-outage-x7k2p              The report of an incident on the server
  incident report run.ndjson --output report.md      The reports of a recording, in a file")]
pub(super) struct Report {
    /// A recording, made with `incident watch --record` (- reads stdin), or the id of an incident on the server
    #[arg(value_name = "FILE|ID", add = complete::paths_and_incidents())]
    source: PathBuf,

    #[command(flatten)]
    remote: Remote,

    /// Report only this incident of a recording with several
    #[arg(long, value_name = "ID")]
    incident: Option<String>,

    /// Write the report to this file; - is stdout [default: -]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    output: Option<PathBuf>,
}

impl Report {
    pub(super) fn run(mut self) -> Result<Exit, Failure> {
        let output = OutFile::or_stdout(self.output.as_deref())?;
        let text = self.text()?;
        match output {
            Some(output) => output.write(&lines_of(&text))?,
            None => print_document(&text)?,
        }
        Ok(Exit::Fine)
    }

    /// The text of the report. An existing file is read as a recording; any other name is an incident on the server.
    fn text(&mut self) -> Result<String, Failure> {
        let name = self.source.to_string_lossy().into_owned();
        if name == "-" {
            return self.recorded("stdin", &recorded_on_stdin()?);
        }
        if self.source.exists() {
            return self.recorded(&name, &recorded(&self.source)?);
        }
        let is_id = !looks_like_a_file(&self.source) && incident_path(&name).is_ok();
        if !is_id {
            let error = anyhow!("there is no file {name}, and it is not an incident's id");
            return Err(Failure::new(Exit::Usage, error)
                .hint("name a recording, made with `incident watch --record FILE`, or an incident's id"));
        }
        if self.incident.is_some() {
            let error = anyhow!("--incident needs a recording, and there is no file {name}");
            return Err(Failure::new(Exit::Usage, error));
        }
        self.remote.read_files()?;
        runtime()?.block_on(self.remote.report(&name))
    }

    fn recorded(&self, name: &str, text: &str) -> Result<String, Failure> {
        let histories = History::all(&events(name, text)?);
        if histories.is_empty() {
            let error = anyhow!("{name} has no event of an incident");
            return Err(
                Failure::new(Exit::Usage, error).hint("record events with `incident watch --record FILE`")
            );
        }
        let chosen: Vec<&History> = match self.incident.as_deref() {
            None => histories.iter().collect(),
            Some(id) => vec![choose(name, id, &histories)?],
        };
        let reports: Vec<String> = chosen.into_iter().map(History::markdown).collect();
        Ok(reports.join("\n---\n\n"))
    }
}

/// Whether a name has the extension of a file: then it is a misspelt path, not an incident's id.
fn looks_like_a_file(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["ndjson", "jsonl", "json", "toml", "md"].contains(&extension))
}

/// The events of a recording: one envelope per line; empty lines are skipped. A line that can't be read is an error,
/// because a report that lacks events looks like a complete one.
fn events(name: &str, text: &str) -> Result<Vec<Envelope>, Failure> {
    let lines = text.split('\n').zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim_ascii().is_empty());
    lines.map(|(line, number)| event(line).map_err(|why| unreadable(name, text, number, &why))).collect()
}

fn event(line: &str) -> Result<Envelope, String> {
    let envelope: Envelope = serde_json::from_str(line)
        .map_err(|error| strange_line(line).map_or_else(|| without_place(&error), ToOwned::to_owned))?;
    let message =
        envelope.message().map_err(|error| format!("{}: {}", envelope.kind, without_place(&error)))?;
    if !message.kind().is_control() && envelope.incident().is_empty() {
        return Err(format!("{} has no subject, so its incident is unknown", envelope.kind));
    }
    Ok(envelope)
}

fn unreadable(name: &str, text: &str, number: usize, why: &str) -> Failure {
    let error = anyhow!("{name}:{number} is not an event of a stream: {why}");
    let lines = text.split('\n').count();
    let line = text.split('\n').nth(number - 1).unwrap_or_default();
    // What a line is that is none says what to do about it.
    let is_cut = number == lines && !text.ends_with('\n') && strange_line(line).is_none();
    let hint = if is_cut {
        "the recording ends in the middle of its last line: remove that line"
    } else {
        "`incident validate FILE` shows all mistakes in a recording"
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
