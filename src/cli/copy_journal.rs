//! `incident copy-journal`: moves a journal to another engine.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::ValueHint;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::bars::Shows;
use super::check_journal::not_copied;
use super::color::ColorChoice;
use super::exit::{Exit, Failure};
use super::format::count;
use super::out::{painted, print_json, say};
use super::outfile::refuse_stdout;
use super::terminal::redraws;
use super::{screen, signals};
use crate::journal::{Copied, CopyError, Naming, OpenError, Phase, copy, described};
use crate::shell;

/// Copy a journal, event for event, from a file to a stream of NATS JetStream, back, or to another one
///
/// The copy has the same events with the same positions, times and keys, and the plans of open incidents: whoever serves
/// it goes on where FROM has stopped. It also has the same name, so clients resume at their positions and notice nothing.
/// Therefore stop the servers of FROM before, and don't serve FROM again. FROM is checked first, and both are compared at
/// the end. A copy that was interrupted can be run again.
#[derive(Debug, clap::Args)]
pub(super) struct CopyJournal {
    /// The journal: a file, or nats://HOST:PORT?stream=NAME&durability=always
    #[arg(value_name = "FROM", value_hint = ValueHint::FilePath)]
    from: PathBuf,

    /// A new file, or nats://HOST:PORT?stream=NAME&replicas=3&durability=always, where no stream has that name
    #[arg(value_name = "TO", value_hint = ValueHint::FilePath)]
    to: PathBuf,

    /// Give the copy a name of its own. Then a server may have FROM open and go on; clients of the copy begin anew
    #[arg(long)]
    new_stream: bool,

    /// Print the result as one JSON object
    #[arg(long, help_heading = "Output")]
    json: bool,
}

impl CopyJournal {
    pub(super) fn run(self, color: ColorChoice, quiet: bool) -> Result<Exit, Failure> {
        color.apply(&std::io::stderr());
        [&self.from, &self.to].into_iter().try_for_each(|location| refuse_stdout(location))?;
        if [&self.from, &self.to].into_iter().any(|location| location.as_os_str() == "memory") {
            let error = anyhow!("a journal in memory ends with its server: there is nothing to copy");
            return Err(Failure::new(Exit::Usage, error).hint("name two files, or a file and a stream"));
        }
        let bar = ProgressBar::hidden();
        if !quiet && redraws() {
            bar.set_draw_target(screen::target(20));
            // If the template is malformed, the default style is used.
            let style = ProgressStyle::with_template("{msg:9} {bar:30} {human_pos} of {human_len} events");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        let naming = if self.new_stream { Naming::New } else { Naming::Same };
        let copied = self.copy(naming, bar.clone());
        bar.finish_and_clear();
        let copied = match copied? {
            Ok(copied) => copied,
            Err(CopyError::Interrupted) => {
                say(
                    "The copy was interrupted. Run the same command again: nothing can be served before it is complete",
                );
                return Ok(Exit::Interrupted);
            }
            Err(error) => return Err(self.failure(error)),
        };
        if self.json {
            let events = (copied.head + 1).saturating_sub(copied.oldest);
            print_json(&json!({
                "stream": copied.stream, "oldest": copied.oldest, "head": copied.head, "events": events,
            }))?;
        } else if !quiet {
            self.told(&copied);
        }
        Ok(Exit::Fine)
    }

    /// Copies until ctrl-c.
    fn copy(&self, naming: Naming, bar: ProgressBar) -> Result<Result<Copied, CopyError>, Failure> {
        let (from, to) = (self.from.clone(), self.to.clone());
        signals::until_stopped(move |stop| {
            let mut progress = |phase: Phase, done: u64, all: u64| {
                let what = match phase {
                    Phase::Checks => "checking",
                    Phase::Copies => "copying",
                    Phase::Compares => "comparing",
                };
                bar.show(painted![what]);
                bar.set_length(all);
                bar.set_position(done);
                !stop.is_wished()
            };
            copy(&from, &to, naming, &mut progress)
        })
    }

    fn failure(&self, error: CopyError) -> Failure {
        let check = format!("incident check-journal {}", shell::file(&self.from));
        match error {
            CopyError::Unsound(wrong) => Failure::new(
                Exit::Invalid,
                anyhow!("{} does not pass its checks: {wrong}", described(&self.from)),
            )
            .hint(format!("`{check}` says more, and with --salvage NEW copies what is sound")),
            CopyError::Open(error @ OpenError::Held { .. }) if self.is_of_target(&error) => {
                Failure::new(Exit::Connection, error).hint(
                    "wait until the other copy is complete, or name another target: a journal that a server has open can't be one",
                )
            }
            CopyError::Open(error @ OpenError::Held { .. }) => Failure::new(
                Exit::Connection,
                error,
            )
            .hint(
                "stop the servers that have it open, or copy this moment as a new stream with --new-stream",
            ),
            CopyError::OtherNaming { begun, .. } => Failure::new(Exit::Usage, error).hint(format!(
                "copy {begun} --new-stream again, delete the stream, or name another one with stream=NAME"
            )),
            CopyError::Moved => {
                Failure::new(Exit::Connection, error).hint("stop the servers that have it open")
            }
            CopyError::Differs(_) => {
                let again = "if nothing else has written to the target meanwhile, remove it and copy again";
                Failure::new(Exit::Invalid, error).hint(again)
            }
            CopyError::Open(error) => not_copied(error, &self.from, &self.to),
            CopyError::Interrupted => Failure::new(Exit::Interrupted, error),
        }
    }

    /// Whether it is the target that something has open.
    fn is_of_target(&self, error: &OpenError) -> bool {
        matches!(error, OpenError::Held { path, .. }
            if *path == self.to || path.as_os_str() == described(&self.to).as_str())
    }

    fn told(&self, copied: &Copied) {
        let Copied { stream, oldest, head, .. } = copied;
        let events = (head + 1).saturating_sub(*oldest);
        let range = if events == 0 { String::new() } else { format!(", {oldest} to {head},") };
        let to = shell::file(&self.to);
        say(format!("{}{range} were copied and compared. The stream is {stream}.", count(events, "event")));
        say(format!("Serve it: incident serve --journal {to}"));
        if !self.new_stream {
            let from = described(&self.from);
            say(format!(
                "Don't serve the journal that was copied any more ({from}): clients could not tell the two apart."
            ));
        }
    }
}
