//! Texts in what is drawn on the terminal again and again: lines that change in place, and lines above them. They have been
//! through the gate of [`super::out`].

use indicatif::{MultiProgress, ProgressBar};

use super::out::Painted;

/// A line that changes in place.
pub(super) trait Shows {
    fn show(&self, text: Painted);
    /// What stands above it.
    fn show_above(&self, text: Painted);
    /// Its last text.
    fn close_with(&self, text: Painted);
}

impl Shows for ProgressBar {
    fn show(&self, text: Painted) {
        self.set_message(text.into_text());
    }

    fn show_above(&self, text: Painted) {
        self.set_prefix(text.into_text());
    }

    fn close_with(&self, text: Painted) {
        self.finish_with_message(text.into_text());
    }
}

/// Writes a line above all of them. An error means that the terminal is gone.
pub(super) fn line_above(bars: &MultiProgress, line: Painted) {
    let _ = bars.println(line.into_text());
}
