//! Reading a recording from a file or from lines, or its text alone.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::error::RecordingError;
use super::lines::Lines;
use super::reader::Reader;
use super::recorded::Recording;
use crate::input_file;

impl Recording {
    /// Reads a file.
    pub fn open(file: &Path) -> Result<Self, RecordingError> {
        let origin = file.display().to_string();
        match input_file::open(file) {
            Ok(opened) => Self::read(BufReader::with_capacity(64 * 1024, opened), &origin),
            Err(source) => Err(RecordingError::Unreadable { origin, source }),
        }
    }

    /// Reads lines. `origin` names their file in errors and warnings.
    ///
    /// Control messages and repeated events are skipped. An incident without its start is left out. An incident without
    /// its end is cancelled where its stream ends in the recording. An incomplete last line is skipped.
    ///
    /// # Errors
    /// A line is not an event of the contract; an incident has a gap, or an event after its resolution; no incident has
    /// its start in the recording.
    pub fn read(lines: impl BufRead, origin: &str) -> Result<Self, RecordingError> {
        Reader::new(origin).read(lines)
    }
}

/// The text of a recording as UTF-8 without byte order marks, for commands that check or report its lines.
///
/// # Errors
/// The recording cannot be read, has another encoding than UTF-8 or UTF-16, or has a line that is longer than any event.
pub fn read_text(recording: impl Read, origin: &str) -> Result<String, RecordingError> {
    let mut lines = Lines::new(BufReader::with_capacity(64 * 1024, recording));
    let mut text = String::new();
    while let Some(line) = lines.next().map_err(|error| RecordingError::of(origin, error))? {
        text += &line.text;
        if line.ended {
            text.push('\n');
        }
    }
    Ok(text)
}
