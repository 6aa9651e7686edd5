//! `incident check-journal`: checks a journal file, makes a backup of a sound one, and salvages a damaged one.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::ValueHint;
use colored::Colorize;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::color::ColorChoice;
use super::exit::{Exit, Failure};
use super::fit;
use super::format::count;
use super::journal_file::is_another_file;
use super::out::{painted, print, print_json, say};
use super::outfile::refuse_stdout;
use super::screen;
use super::signals;
use super::terminal::redraws;
use crate::journal::{
    Audit, Copied, CopyError, OpenError, Stop, audit, backup, is_stream, salvage, served_as,
};
use crate::shell;

/// The columns before what was found: `  PASS checksums  `.
const FIELDS: usize = 18;

/// Check every event of a journal, make a backup of it, and salvage a damaged one
///
/// A server checks only the newest events when it starts over a large journal. This command checks everything: the pages
/// of the file, the checksum and position of every event, the incidents, their plans, and the witness file, which holds
/// the newest position. A server may have the journal open at the same time. If the journal passes, a server starts over
/// it without a warning.
///
/// Of a stream of NATS JetStream it checks the configuration, the checksum and position of every event, the plans of open
/// incidents, and what the server that plays has written down. It changes nothing there.
#[derive(Debug, clap::Args)]
pub(super) struct CheckJournal {
    /// The journal file, or nats://HOST:PORT?stream=NAME&durability=always; `incident serve` prints where its own is
    #[arg(value_name = "FILE|nats://…", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Copy the journal to this new file, or stream of NATS, if it passes; a server may have it open and goes on writing.
    /// The copy is a new stream: put it in the place of a lost journal, or serve it
    #[arg(long, value_name = "TO", value_hint = ValueHint::FilePath, conflicts_with = "salvage")]
    backup: Option<PathBuf>,

    /// Copy the events before the first damage to this new file, or stream of NATS, as a new stream
    #[arg(long, value_name = "NEW", value_hint = ValueHint::FilePath)]
    salvage: Option<PathBuf>,

    /// Print the result as one JSON object
    #[arg(long, help_heading = "Output")]
    json: bool,
}

impl CheckJournal {
    pub(super) fn run(self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        color.apply(&std::io::stdout());
        self.backup.iter().chain(&self.salvage).try_for_each(|into| refuse_stdout(into))?;
        let bar = ProgressBar::hidden();
        if !quiet && redraws() {
            bar.set_draw_target(screen::target(20));
            // If the template is malformed, the default style is used.
            let style = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} events");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        let mut progress = |done: u64, of: u64| {
            bar.set_length(of);
            bar.set_position(done);
        };
        let found = audit(&self.file, &mut progress);
        bar.finish_and_clear();
        let found = match (found, &self.salvage) {
            // What keeps the checks from running need not keep events from being read.
            (Err(error @ OpenError::Damaged { .. }), Some(into)) if !is_another_file(&self.file) => {
                say(painted!["error:".red().bold(), " ", error.to_string()]);
                return Ok(if self.salvage(into)? { Exit::Invalid } else { Exit::Interrupted });
            }
            (found, _) => found.map_err(|error| failure(error, &self.file))?,
        };
        if self.json {
            print_json(&as_json(&found))?;
        } else if !quiet || !found.is_sound() {
            self.print(&found)?;
        }
        if let Some(into) = &self.salvage
            && !self.salvage(into)?
        {
            return Ok(Exit::Interrupted);
        }
        if let Some(into) = &self.backup {
            if !found.is_sound() {
                let error = anyhow!("no backup was made: {} does not pass", self.file.display());
                return Err(Failure::new(Exit::Invalid, error).hint("copy what is sound with --salvage NEW"));
            }
            if !self.copy(into, backup)? {
                return Ok(Exit::Interrupted);
            }
        }
        Ok(if found.is_sound() { Exit::Fine } else { Exit::Invalid })
    }

    fn salvage(&self, into: &Path) -> Result<bool, Failure> {
        self.copy(into, salvage)
    }

    /// Whether the copy was made: ctrl-c ends it.
    fn copy(
        &self,
        into: &Path,
        copy: impl FnOnce(&Path, &Path, &Stop) -> Result<Copied, CopyError> + Send + 'static,
    ) -> Result<bool, Failure> {
        let (from, to) = (self.file.clone(), into.to_owned());
        match signals::until_stopped(move |stop| copy(&from, &to, stop))? {
            Ok(copied) => told(&copied, into),
            Err(CopyError::Interrupted) if is_stream(into) => {
                say("The copy was interrupted: the stream can't be served before it is complete");
                return Ok(false);
            }
            Err(CopyError::Interrupted) => {
                say(painted!["The copy was interrupted: ", into.display().to_string(), " was not made"]);
                return Ok(false);
            }
            Err(error) => return Err(self.untold(error, into)),
        }
        Ok(true)
    }

    fn untold(&self, error: CopyError, into: &Path) -> Failure {
        match error {
            CopyError::Open(error @ OpenError::Damaged { .. }) if self.salvage.is_some() => {
                Failure::new(Exit::Invalid, error)
                    .hint("nothing of it can be read: put a backup in its place")
            }
            CopyError::Open(error) => not_copied(error, &self.file, into),
            other => Failure::new(Exit::Invalid, other).hint("check it again, and remove the copy"),
        }
    }

    fn print(&self, found: &Audit) -> Result<(), Failure> {
        let columns = if std::io::stdout().is_terminal() { fit::of_stdout() } else { usize::MAX };
        print(self.file.display().to_string().bold())?;
        for checked in &found.checks {
            let (mark, text) = match &checked.outcome {
                Ok(text) => ("PASS".green(), text),
                Err(text) => ("FAIL".red().bold(), text),
            };
            for (number, line) in fit::wrapped(text, columns.saturating_sub(FIELDS), 0).iter().enumerate() {
                match number {
                    0 => print(painted!["  ", &mark, format!(" {:<10} ", checked.name), line])?,
                    _ => print(format!("{:FIELDS$}{line}", ""))?,
                }
            }
        }
        if !found.is_sound() && self.salvage.is_none() {
            let file = self.file.display();
            if found.sound_to >= found.oldest {
                print(format!("Events {} to {} are sound.", found.oldest, found.sound_to))?;
            }
            let next = if found.stream.is_some() {
                format!("incident check-journal {} --salvage NEW", shell::file(&self.file))
            } else {
                format!("put a backup in the place of {file}, which is empty")
            };
            say(painted!["  try:".cyan(), " ", next]);
        }
        Ok(())
    }
}

/// The error of a copy, which may be that of either file.
pub(super) fn not_copied(error: OpenError, file: &Path, into: &Path) -> Failure {
    match &error {
        OpenError::Unusable { path, .. } if is_stream(path) => {
            let stream = path.clone();
            failure(error, &stream)
        }
        OpenError::Unusable { path, .. } if path == into => {
            Failure::new(Exit::Usage, error).hint("name a new file in a folder that can be written")
        }
        _ => failure(error, file),
    }
}

/// Says what was copied.
fn told(copied: &Copied, into: &Path) {
    let (events, stream) = ((copied.head + 1).saturating_sub(copied.oldest), &copied.stream);
    let into = served_as(into);
    let (into, shown) = (into.display(), shell::file(&into));
    let range = if events == 0 { String::new() } else { format!(", {} to {},", copied.oldest, copied.head) };
    say(format!(
        "{}{range} were copied to {into} as the new stream {stream}. Serve it: incident serve --journal {shown}",
        count(events, "event"),
    ));
    told_unplayable(copied.unplayable);
    if copied.renewed_keys > 0 {
        let keys = match copied.renewed_keys {
            1 => "1 missing or damaged key of a publisher was".to_owned(),
            keys => format!("{} of publishers were", count(keys, "missing or damaged key")),
        };
        say(format!(
            "{keys} made anew from the events: what a publisher sends again under such a name is a repeat, whatever it has"
        ));
    }
}

/// Says which incidents of a copy can't go on.
fn told_unplayable(unplayable: u64) {
    let open = match unplayable {
        0 => return,
        1 => "an open incident is damaged or gone: a server ends it".to_owned(),
        many => format!("{} is damaged or gone: a server ends them", count(many, "open incident")),
    };
    say(format!("The plan of {open} as cancelled"));
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

/// What to do about a journal that is in use under another name.
const ELSEWHERE: &str =
    "name the journal as its server does, which prints it when it starts, or stop that server first";

fn failure(error: OpenError, file: &Path) -> Failure {
    if is_stream(file) && matches!(error, OpenError::Unusable { .. }) {
        let hint = "check the location and the servers: docs/cluster.md has a set-up that works";
        return Failure::new(Exit::Connection, error).hint(hint);
    }
    if matches!(error, OpenError::Damaged { .. }) && is_another_file(file) {
        let error = anyhow!("{} is not a journal: it is no SQLite database", file.display());
        return Failure::new(Exit::Usage, error).hint("`incident serve` prints where its journal is");
    }
    let (exit, hint) = match &error {
        OpenError::Damaged { .. } => (
            Exit::Invalid,
            format!("`incident check-journal {} --salvage NEW` copies what can be read", shell::file(file)),
        ),
        OpenError::Held { .. } => (Exit::Connection, "name another target".to_owned()),
        OpenError::Elsewhere { .. } => (Exit::Connection, ELSEWHERE.to_owned()),
        OpenError::Locked { .. } => {
            (Exit::Connection, "end the program that has the file open, and check it again".to_owned())
        }
        OpenError::Unindexed { .. } => (
            Exit::Usage,
            "copy all files of the journal (-wal and -head, too) into a folder that can be written, and name it there"
                .to_owned(),
        ),
        OpenError::Newer { .. } => (Exit::Usage, "use a newer version of incident".to_owned()),
        OpenError::Exists { path, .. } if is_stream(path) => {
            (Exit::Usage, "name another stream with stream=NAME, or delete that one".to_owned())
        }
        // Nobody is told to remove the journal, or a file of it.
        OpenError::Exists { what, .. } if what.ends_with("the journal itself") => {
            (Exit::Usage, "name another file".to_owned())
        }
        OpenError::Exists { .. } => (Exit::Usage, "name another file, or remove this one".to_owned()),
        OpenError::LogAlone { log, .. } => {
            (Exit::Usage, format!("put the journal back beside {}, or move that away with it", log.display()))
        }
        OpenError::Foreign { .. } | OpenError::Unusable { .. } => {
            (Exit::Usage, "name a journal file; `incident serve` prints where its own is".to_owned())
        }
    };
    Failure::new(exit, error).hint(hint)
}
