//! Which journal a server keeps: a file that survives it, or memory.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::anyhow;

use super::exit::{Exit, Failure};
use crate::contract::StreamId;
use crate::journal::{Journal, Memory, OpenError, Retention, Sqlite};

/// As in `--journal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// What happened is gone when the server stops.
    Memory,
    /// It is not.
    File(PathBuf),
}

impl FromStr for Choice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "memory" { Self::Memory } else { Self::File(text.into()) })
    }
}

/// A journal that is open, and what a person is told of it.
pub(super) struct Opened {
    pub(super) journal: Journal,
    pub(super) told: String,
}

/// Opens what was chosen, or the file in the platform's state directory.
pub(super) fn open(choice: Option<&Choice>, retention: Retention) -> Result<Opened, Failure> {
    let file = match choice {
        Some(Choice::Memory) => {
            let told = "in memory: what happened is gone when the server stops".to_owned();
            return Ok(Opened { journal: Journal::new(Memory::new(StreamId::fresh(), retention)), told });
        }
        Some(Choice::File(file)) => file.clone(),
        None => state_directory()
            .ok_or_else(|| {
                let error = anyhow!("there is no home directory to keep the journal in");
                Failure::new(Exit::Usage, error).hint("name a file with --journal FILE, or --journal memory")
            })?
            .join("journal.db"),
    };
    let journal = Sqlite::open(&file, retention).map_err(|error| {
        let hint = match &error {
            OpenError::Held { .. } => {
                "stop that server, or keep another journal with --journal FILE".to_owned()
            }
            OpenError::Damaged { .. } => damaged(&file),
            OpenError::Newer { .. } => "use a newer version of incident, or another file".to_owned(),
            OpenError::Unusable { .. } => {
                "name a file that can be written with --journal FILE, or --journal memory".to_owned()
            }
        };
        Failure::new(Exit::Connection, error).hint(hint)
    })?;
    Ok(Opened { journal: Journal::new(journal), told: short(&file) })
}

/// What can be done about a damaged file.
fn damaged(file: &Path) -> String {
    let file = file.display();
    format!(
        "see what is wrong with `incident check-journal {file}`, save what is sound with --salvage NEW, or move the \
         file away: then a new one is begun"
    )
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

/// With `~` for the home directory.
fn short(file: &Path) -> String {
    let home = std::env::home_dir();
    match home.as_deref().and_then(|home| file.strip_prefix(home).ok()) {
        Some(rest) => format!("~/{}", rest.display()),
        None => file.display().to_string(),
    }
}
