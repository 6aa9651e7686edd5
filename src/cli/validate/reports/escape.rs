//! A text from outside as one piece of a line.

use crate::visible::{unforged, visible};

/// A text from outside as one piece of a line, in which no CI system finds a command.
pub(super) fn line(text: &str) -> String {
    unforged(&visible(text)).into_owned()
}
