//! An entry in the list of engines: how an engine is chosen by the location of a journal.

use std::path::Path;

use super::handle::Journal;
use super::log::Retention;
use super::open_error::OpenError;

/// An engine in the list of engines.
pub(super) struct Choice {
    /// Whether a location names a journal of this engine.
    pub(super) claims: fn(&Path) -> bool,
    /// Opens the journal at the location, or creates it with a new stream.
    pub(super) open: fn(&Path, Retention) -> Result<Journal, OpenError>,
    /// Whether the events outlive the process.
    pub(super) is_durable: bool,
}
