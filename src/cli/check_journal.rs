//! `incident check-journal`

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use colored::Colorize;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::color::ColorChoice;
use super::exit::{Exit, Failure};
use super::say::say;
use crate::journal::{Audit, OpenError, audit, salvage};

/// Check every event of a journal file, and save what is sound of a damaged one
///
/// A start looks at the newest events only; this looks at all of them: the pages, every event's checksum and place, the
/// incidents, their plans, and the file beside it that remembers the newest event. A server may have the journal open.
#[derive(Debug, clap::Args)]
pub(super) struct CheckJournal {
    /// The file, as in `serve --journal`
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Copy the events before the first damage into this new file, as a new stream
    #[arg(long, value_name = "NEW")]
    salvage: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl CheckJournal {
    pub(super) fn run(self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        color.apply(&std::io::stdout());
        let bar = ProgressBar::hidden();
        if !quiet && std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            // A template that can't be read would be the usual one.
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
            print_json(&found)?;
        } else if !quiet || !found.is_sound() {
            self.print(&found)?;
        }
        if let Some(into) = &self.salvage {
            let saved = salvage(&self.file, into).map_err(|error| failure(error, into))?;
            let (events, stream) = ((saved.head + 1).saturating_sub(saved.oldest), saved.stream);
            say(format_args!(
                "{events} events, {} to {}, are in {} as the new stream {stream}. Serve it: incident serve --journal {}",
                saved.oldest,
                saved.head,
                into.display(),
                into.display()
            ));
        }
        Ok(if found.is_sound() { Exit::Fine } else { Exit::Invalid })
    }

    fn print(&self, found: &Audit) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", self.file.display().to_string().bold())?;
        for checked in &found.checks {
            let (mark, told) = match &checked.outcome {
                Ok(told) => ("PASS".green(), told),
                Err(told) => ("FAIL".red().bold(), told),
            };
            writeln!(out, "  {mark} {:<10} {told}", checked.name)?;
        }
        if !found.is_sound() && self.salvage.is_none() {
            let file = self.file.display();
            writeln!(out, "Events {} to {} are sound.", found.oldest, found.sound_to)?;
            say(format_args!("{} incident check-journal {file} --salvage NEW", "  try:".cyan()));
        }
        Ok(())
    }
}

fn print_json(found: &Audit) -> Result<(), Failure> {
    let checks = found.checks.iter().map(|checked| {
        let (pass, told) = match &checked.outcome {
            Ok(told) => (true, told),
            Err(told) => (false, told),
        };
        json!({ "check": checked.name, "pass": pass, "found": told })
    });
    let object = json!({
        "stream": found.stream,
        "oldest": found.oldest,
        "head": found.head,
        "sound": found.is_sound(),
        "sound_to": found.sound_to,
        "checks": checks.collect::<Vec<_>>(),
    });
    writeln!(std::io::stdout(), "{object}")?;
    Ok(())
}

fn failure(error: OpenError, file: &std::path::Path) -> Failure {
    let exit = match &error {
        OpenError::Damaged { .. } => Exit::Invalid,
        OpenError::Held { .. } => Exit::Connection,
        OpenError::Newer { .. } | OpenError::Unusable { .. } => Exit::Usage,
    };
    let hint = match &error {
        OpenError::Damaged { .. } => format!("nothing can be read of it; move {} away", file.display()),
        OpenError::Held { .. } => "name another file".to_owned(),
        OpenError::Newer { .. } => "use a newer version of incident".to_owned(),
        OpenError::Unusable { .. } => {
            "name a journal file; `incident serve` prints where its own is".to_owned()
        }
    };
    Failure::new(exit, error).hint(hint)
}
