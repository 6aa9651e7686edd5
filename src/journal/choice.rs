//! An entry in the list of engines: how an engine is chosen by the location of a journal.

use std::path::Path;

use super::handle::Journal;
use super::log::Retention;
use super::open_error::OpenError;

/// Whether a location is meant as an address, such as `nats://HOST`, well written or not: a file of that name would be another
/// journal, in silence. `./nats:x` is a file.
pub(super) fn is_address(location: &Path) -> bool {
    let text = location.to_string_lossy();
    let Some((scheme, rest)) = text.trim_start().split_once(':') else { return false };
    let is_scheme = scheme.len() > 1
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let is_known = ["nats", "tls"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    is_scheme && (is_known || rest.starts_with('/')) && !location.exists()
}

/// An engine in the list of engines.
pub(super) struct Choice {
    /// Whether a location names a journal of this engine.
    pub(super) claims: fn(&Path) -> bool,
    /// Opens the journal at the location, or creates it with a new stream.
    pub(super) open: fn(&Path, Retention) -> Result<Journal, OpenError>,
    /// Whether the events outlive the process.
    pub(super) is_durable: bool,
}
