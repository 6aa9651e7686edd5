//! The journal that the server keeps: a file that outlives the server, or memory.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::anyhow;
use clap::ValueHint;

use crate::cli::duration::at_least_100ms;
use crate::cli::exit::{Exit, Failure};
use crate::cli::journal_file::is_another_file;
use crate::contract::StreamId;
use crate::journal::{Journal, Memory, OpenError, Retention, Sqlite};
use crate::scenario::Micros;

/// Flags of the journal.
#[derive(Debug, clap::Args)]
pub(super) struct JournalArgs {
    /// File to keep the events in, or `memory` to keep them only while the server runs [default: journal.db in the
    /// platform's state directory]
    #[arg(long, value_name = "FILE|memory", value_hint = ValueHint::FilePath, help_heading = "Journal")]
    journal: Option<JournalChoice>,

    /// Keep this many events; older ones are deleted, except those of open incidents
    #[arg(
        long,
        default_value_t = Retention::default().events as u32,
        value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1_000..),
        help_heading = "Journal"
    )]
    retain_events: u32,

    /// Keep events for this long; older ones are deleted, except those of open incidents [default: no limit]
    #[arg(long, value_name = "DURATION", value_parser = at_least_100ms, help_heading = "Journal")]
    retain_age: Option<Micros>,
}

/// The value of `--journal`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum JournalChoice {
    /// Events are lost when the server stops.
    Memory,
    /// Events are kept in this file.
    File(PathBuf),
}

impl FromStr for JournalChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "memory" { Self::Memory } else { Self::File(text.into()) })
    }
}

/// An open journal.
pub(super) struct OpenedJournal {
    pub(super) journal: Journal,
    /// Where it is, for people.
    pub(super) description: String,
}

impl JournalArgs {
    /// Opens the chosen journal, by default the file in the platform's state directory.
    pub(super) fn open(&self) -> Result<OpenedJournal, Failure> {
        let retention =
            Retention { events: self.retain_events as usize, age: self.retain_age.map(Into::into) };
        let file = match &self.journal {
            Some(JournalChoice::Memory) => {
                let description = "in memory: events are lost when the server stops".to_owned();
                let journal = Journal::new(Memory::new(StreamId::fresh(), retention));
                return Ok(OpenedJournal { journal, description });
            }
            Some(JournalChoice::File(file)) => file.clone(),
            None => state_directory()
                .ok_or_else(|| {
                    let error = anyhow!("there is no home directory to keep the journal in");
                    Failure::new(Exit::Usage, error)
                        .hint("name a file with --journal FILE, or use --journal memory")
                })?
                .join("journal.db"),
        };
        let journal = Sqlite::open(&file, retention).map_err(|error| {
            if matches!(error, OpenError::Damaged { .. }) && is_another_file(&file) {
                let error = anyhow!("{} is not a journal: it is no SQLite database", file.display());
                return Failure::new(Exit::Usage, error).hint("name another file with --journal FILE");
            }
            let hint = hint(&error, &file);
            Failure::new(Exit::Connection, error).hint(hint)
        })?;
        Ok(OpenedJournal { journal: Journal::new(journal), description: short(&file) })
    }
}

/// What to do about a file that can't be opened.
fn hint(error: &OpenError, file: &Path) -> String {
    match error {
        OpenError::Held { .. } => "stop that server, or name another file with --journal FILE".to_owned(),
        OpenError::Damaged { .. } => {
            let file = file.display();
            format!(
                "`incident check-journal {file}` shows the damage, and with --salvage NEW copies the events before it. \
                 Or move the file away: the next start creates a new one"
            )
        }
        OpenError::Newer { .. } => "use a newer version of incident, or another file".to_owned(),
        OpenError::Unusable { .. } => {
            "name a file that can be written with --journal FILE, or use --journal memory".to_owned()
        }
    }
}

/// `$XDG_STATE_HOME/incident`, else `~/.local/state/incident` (XDG Base Directory Specification); on macOS
/// `~/Library/Application Support/incident`, on Windows `%LOCALAPPDATA%\incident`.
fn state_directory() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| {
        if cfg!(target_os = "windows") {
            return absolute("LOCALAPPDATA");
        }
        let below = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/state" };
        Some(std::env::home_dir()?.join(below))
    });
    Some(base?.join("incident"))
}

/// The path with `~` for the home directory.
fn short(file: &Path) -> String {
    let home = std::env::home_dir();
    match home.as_deref().and_then(|home| file.strip_prefix(home).ok()) {
        Some(rest) => format!("~/{}", rest.display()),
        None => file.display().to_string(),
    }
}
