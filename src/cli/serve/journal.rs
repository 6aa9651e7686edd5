//! The journal that the server keeps: a file that outlives the server, or memory.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::ValueHint;

use super::tokens::Tokens;
use crate::cli::duration::at_least_100ms;
use crate::cli::exit::{Exit, Failure};
use crate::cli::journal_file::is_another_file;
use crate::cli::numbers::whole;
use crate::cli::outfile::refuse_stdout;
use crate::journal::{self, Journal, OpenError, Opened, Retention};
use crate::scenario::Micros;
use crate::shell;

/// Flags of the journal.
#[derive(Debug, clap::Args)]
pub(super) struct JournalArgs {
    /// File to keep the events in, `memory` to keep them only while the server runs, or
    /// nats://HOST:PORT?stream=NAME&durability=always for a stream of NATS JetStream that several servers have open
    /// [default: journal.db in the platform's state directory]
    #[arg(long, value_name = "FILE|memory|nats://…", value_hint = ValueHint::FilePath, help_heading = "Journal")]
    journal: Option<PathBuf>,

    /// Keep this many events; older ones are deleted, except those of open incidents
    #[arg(
        long,
        default_value_t = Retention::default().events as u32,
        value_name = "COUNT",
        value_parser = whole::<u32>(1_000, u32::MAX.into()),
        help_heading = "Journal"
    )]
    retain_events: u32,

    /// Keep events for this long by the steady clock; older ones are deleted, except those of open incidents [default: no
    /// limit]
    #[arg(long, value_name = "DURATION", value_parser = at_least_100ms, help_heading = "Journal")]
    retain_age: Option<Micros>,
}

/// An open journal.
pub(super) struct OpenedJournal {
    pub(super) journal: Journal,
    /// Where it is, for people.
    pub(super) description: String,
    /// The file, if it is one.
    file: Option<PathBuf>,
}

impl OpenedJournal {
    /// Warns that other users can read what the tokens protect, if it is so. Whoever can read a file can lock it, too.
    pub(super) fn warn_of_others(&self, tokens: &Tokens) {
        let Some(file) = self.file.as_deref().filter(|file| !tokens.all().is_empty() && is_open(file)) else {
            return;
        };
        let (name, shown) = (file.display(), shell::file(file));
        tracing::warn!(
            "other users can read the journal {name} without a token, and can lock it, so that nothing can be stored: \
             chmod 600 {shown} {shown}-*"
        );
    }
}

impl JournalArgs {
    /// Opens the chosen journal, by default the file in the platform's state directory.
    pub(super) fn open(&self) -> Result<OpenedJournal, Failure> {
        let retention =
            Retention { events: self.retain_events as usize, age: self.retain_age.map(Into::into) };
        let location = match &self.journal {
            Some(location) => location.clone(),
            None => state_directory()
                .ok_or_else(|| {
                    let error = anyhow!("there is no home directory to keep the journal in");
                    Failure::new(Exit::Usage, error)
                        .hint("name a file with --journal FILE, or use --journal memory")
                })?
                .join("journal.db"),
        };
        refuse_stdout(&location)?;
        let Opened { journal, is_durable } = journal::open(&location, retention).map_err(|error| {
            if matches!(error, OpenError::Damaged { .. }) && is_another_file(&location) {
                let error = anyhow!("{} is not a journal: it is no SQLite database", location.display());
                return Failure::new(Exit::Connection, error).hint("name another file with --journal FILE");
            }
            let hint = if location.to_string_lossy().contains("://") {
                "check the location and the servers: docs/cluster.md has a set-up that works".to_owned()
            } else {
                hint(&error, &location)
            };
            Failure::new(Exit::Connection, error).hint(hint)
        })?;
        let description = if is_durable {
            short(&location)
        } else {
            "in memory: events are lost when the server stops".to_owned()
        };
        let file = (is_durable && !journal::is_stream(&location)).then_some(location);
        Ok(OpenedJournal { journal, description, file })
    }
}

/// What to do about a file that can't be opened.
fn hint(error: &OpenError, file: &Path) -> String {
    match error {
        OpenError::Held { .. } | OpenError::Elsewhere { .. } => "stop that server, or wait for the command that reads it, or name another file with --journal FILE".to_owned(),
        OpenError::Locked { .. } => {
            "end the program that has the file open, such as a shell in a transaction, and start again"
                .to_owned()
        }
        OpenError::LogAlone { log, .. } => format!(
            "put the journal back beside {log}, move {log} beside the journal, or move it away with it: a new journal \
             would delete it",
            log = log.display()
        ),
        OpenError::Damaged { .. } => {
            let file = shell::file(file);
            format!(
                "`incident check-journal {file}` shows the damage, and with --salvage NEW copies the events before it. \
                 Or move the file away with all files beside it that have its name: {file}-wal may have its newest \
                 events. The next start creates a new one"
            )
        }
        OpenError::Newer { .. } => "use a newer version of incident, or another file".to_owned(),
        OpenError::Foreign { .. } => {
            "nothing was changed in it; name another file with --journal FILE".to_owned()
        }
        OpenError::Exists { .. } => {
            "nothing was changed in it; move it away, or name another file with --journal FILE".to_owned()
        }
        OpenError::Unusable { .. } | OpenError::Unindexed { .. } => {
            "name a file that can be written with --journal FILE, or use --journal memory".to_owned()
        }
    }
}

/// Whether other users can read or write the journal, or a file that is kept beside it: they may be of an older version.
#[cfg(unix)]
fn is_open(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let Ok(file) = file.canonicalize() else { return false };
    let has =
        |path: &Path, bits: u32| path.metadata().is_ok_and(|found| found.permissions().mode() & bits != 0);
    // Who may not enter a folder reaches nothing in it.
    file.ancestors().skip(1).all(|folder| has(folder, 0o011))
        && ["", "-wal", "-shm", "-lock"].iter().any(|suffix| {
            let mut name = file.clone().into_os_string();
            name.push(suffix);
            has(Path::new(&name), 0o066)
        })
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> bool {
    false
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
