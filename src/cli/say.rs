//! Messages on stderr.

use std::fmt::Display;
use std::io::Write;

/// Writes one line to stderr. Errors are ignored: a closed stderr is no reason to stop.
pub(super) fn say(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
