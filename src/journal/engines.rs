//! The list of engines.

use std::path::Path;

use super::choice::Choice;
use super::handle::Journal;
use super::log::Retention;
use super::open_error::OpenError;
use super::{memory, sqlite};

/// All engines, one line each. The first engine that claims a location opens it. The SQLite engine claims every
/// location that no other engine claims, as a file.
const ENGINES: &[Choice] = &[memory::CHOICE, sqlite::CHOICE];

/// An open journal.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The journal.
    pub journal: Journal,
    /// Whether its events outlive the process.
    pub is_durable: bool,
}

/// Opens the journal at a location, or creates it with a new stream: `memory`, or a file.
///
/// # Errors
/// Another process has the journal open, it is damaged or written by a newer version, or it cannot be used.
pub fn open(location: &Path, retention: Retention) -> Result<Opened, OpenError> {
    let engine = ENGINES.iter().find(|engine| (engine.claims)(location));
    let engine =
        engine.ok_or_else(|| OpenError::unusable(location, "no engine opens a journal at this location"))?;
    Ok(Opened { journal: (engine.open)(location, retention)?, is_durable: engine.is_durable })
}
