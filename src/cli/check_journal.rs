//! `incident check-journal`: checks a journal file, and salvages a damaged one.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::ValueHint;
use colored::Colorize;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::color::ColorChoice;
use super::exit::{Exit, Failure};
use super::journal_file::is_another_file;
use super::out::{painted, print, print_json, say};
use super::terminal::redraws;
use crate::journal::{Audit, OpenError, audit, salvage};

/// Check every event of a journal file, and salvage a damaged one
///
/// A server checks only the newest events when it starts. This command checks everything: the pages of the file, the
/// checksum and position of every event, the incidents, their plans, and the file beside it that holds the newest
/// position. A server may have the journal open at the same time.
#[derive(Debug, clap::Args)]
pub(super) struct CheckJournal {
    /// The journal file; `incident serve` prints where its own is
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Copy the events before the first damage to this new file, as a new stream
    #[arg(long, value_name = "NEW", value_hint = ValueHint::FilePath)]
    salvage: Option<PathBuf>,

    /// Print the result as one JSON object
    #[arg(long, help_heading = "Output")]
    json: bool,
}

impl CheckJournal {
    pub(super) fn run(self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        color.apply(&std::io::stdout());
        let bar = ProgressBar::hidden();
        if !quiet && redraws(&std::io::stderr()) {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            // If the template is malformed, the default style is used.
            let style = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} events");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        let mut progress = |done: u64, of: u64| {
            bar.set_length(of);
            bar.set_position(done);
        };
        let found = audit(&self.file, &mut progress).map_err(|error| failure(error, &self.file));
        bar.finish_and_clear();
        let found = found?;
        if self.json {
            print_json(&as_json(&found))?;
        } else if !quiet || !found.is_sound() {
            self.print(&found)?;
        }
        if let Some(into) = &self.salvage {
            let saved = salvage(&self.file, into).map_err(|error| failure(error, into))?;
            let (events, stream) = ((saved.head + 1).saturating_sub(saved.oldest), saved.stream);
            say(format!(
                "{events} events, {} to {}, were copied to {} as the new stream {stream}. Serve it: incident serve --journal {}",
                saved.oldest,
                saved.head,
                into.display(),
                into.display()
            ));
        }
        Ok(if found.is_sound() { Exit::Fine } else { Exit::Invalid })
    }

    fn print(&self, found: &Audit) -> Result<(), Failure> {
        print(self.file.display().to_string().bold())?;
        for checked in &found.checks {
            let (mark, text) = match &checked.outcome {
                Ok(text) => ("PASS".green(), text),
                Err(text) => ("FAIL".red().bold(), text),
            };
            print(painted!["  ", mark, format!(" {:<10} ", checked.name), text])?;
        }
        if !found.is_sound() && self.salvage.is_none() {
            let file = self.file.display();
            print(format!("Events {} to {} are sound.", found.oldest, found.sound_to))?;
            say(painted!["  try:".cyan(), format!(" incident check-journal {file} --salvage NEW")]);
        }
        Ok(())
    }
}

fn as_json(found: &Audit) -> Value {
    let checks = found.checks.iter().map(|checked| {
        let (pass, text) = match &checked.outcome {
            Ok(text) => (true, text),
            Err(text) => (false, text),
        };
        json!({ "check": checked.name, "pass": pass, "found": text })
    });
    json!({
        "stream": found.stream,
        "oldest": found.oldest,
        "head": found.head,
        "sound": found.is_sound(),
        "sound_to": found.sound_to,
        "checks": checks.collect::<Vec<_>>(),
    })
}

fn failure(error: OpenError, file: &std::path::Path) -> Failure {
    if matches!(error, OpenError::Damaged { .. }) && is_another_file(file) {
        let error = anyhow!("{} is not a journal: it is no SQLite database", file.display());
        return Failure::new(Exit::Usage, error).hint("`incident serve` prints where its journal is");
    }
    let exit = match &error {
        OpenError::Damaged { .. } => Exit::Invalid,
        OpenError::Held { .. } => Exit::Connection,
        OpenError::Newer { .. } | OpenError::Unusable { .. } => Exit::Usage,
    };
    let hint = match &error {
        OpenError::Damaged { .. } => format!("no event in it can be read; move {} away", file.display()),
        OpenError::Held { .. } => "name another file".to_owned(),
        OpenError::Newer { .. } => "use a newer version of incident".to_owned(),
        OpenError::Unusable { .. } => {
            "name a journal file; `incident serve` prints where its own is".to_owned()
        }
    };
    Failure::new(exit, error).hint(hint)
}
