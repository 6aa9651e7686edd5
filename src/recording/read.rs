//! Reading a recording from a file or from lines.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::error::RecordingError;
use super::reader::Reader;
use super::recorded::Recording;

impl Recording {
    /// Reads a file.
    pub fn open(file: &Path) -> Result<Self, RecordingError> {
        let origin = file.display().to_string();
        match File::open(file) {
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
