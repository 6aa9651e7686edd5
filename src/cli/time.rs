//! Times in flags.

use jiff::Timestamp;

use crate::contract::parse_time;

/// Reads a time as files and events have it.
pub(super) fn time(text: &str) -> Result<Timestamp, &'static str> {
    parse_time(text).ok_or("expected a time as in RFC 3339, such as 2026-11-22T10:00:00Z")
}
