//! Messages on stderr.

use std::fmt::Display;
use std::io::Write;

/// One line on stderr. If nobody reads it any more, nobody misses it: that is no reason to stop.
pub(super) fn say(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
