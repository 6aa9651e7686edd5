//! The list of engines.

use std::path::Path;

use super::choice::Choice;
#[cfg(not(feature = "nats"))]
use super::choice::is_address;
use super::handle::Journal;
use super::log::Retention;
#[cfg(feature = "nats")]
use super::nats;
use super::open_error::OpenError;
use super::{memory, sqlite};

/// All engines, one line each. The first engine that claims a location opens it. The SQLite engine claims every
/// location that no other engine claims, as a file.
const ENGINES: &[Choice] = &[
    memory::CHOICE,
    #[cfg(feature = "nats")]
    nats::CHOICE,
    #[cfg(not(feature = "nats"))]
    NO_NATS,
    sqlite::CHOICE,
];

/// A location on NATS is no file, also for a program that can't open it.
#[cfg(not(feature = "nats"))]
const NO_NATS: Choice = Choice {
    claims: is_address,
    open: |_, _| {
        let why = "this program was built without NATS: build it with `--features nats`";
        // The location may have a password.
        Err(OpenError::unusable(Path::new("a journal on NATS"), why))
    },
    is_durable: true,
};

/// An open journal.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The journal.
    pub journal: Journal,
    /// Whether its events outlive the process.
    pub is_durable: bool,
}

/// Opens the journal at a location, or creates it with a new stream: `memory`, `nats://…`, or a file.
///
/// # Errors
/// Another process has the journal open, it is damaged or written by a newer version, or it cannot be used.
pub fn open(location: &Path, retention: Retention) -> Result<Opened, OpenError> {
    let engine = ENGINES.iter().find(|engine| (engine.claims)(location));
    let engine =
        engine.ok_or_else(|| OpenError::unusable(location, "no engine opens a journal at this location"))?;
    Ok(Opened { journal: (engine.open)(location, retention)?, is_durable: engine.is_durable })
}
