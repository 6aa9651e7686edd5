//! The lines of a recording as text, for commands that judge them one by one.

use std::io::{BufReader, Read};

use super::error::RecordingError;
use super::lines::Lines;

/// The lines of a recording with their numbers, from 1, as UTF-8 without byte order marks. Reads the file as it is asked
/// for lines, so that a large one takes little memory.
pub struct TextLines<R> {
    lines: Lines<BufReader<R>>,
    origin: String,
}

impl<R: Read> TextLines<R> {
    /// The lines of `recording`. `origin` names their file in errors.
    pub fn new(recording: R, origin: &str) -> Self {
        let reader = BufReader::with_capacity(256 * 1024, recording);
        Self { lines: Lines::new(reader), origin: origin.to_owned() }
    }
}

impl<R: Read> Iterator for TextLines<R> {
    type Item = Result<(usize, String), RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next().map_err(|error| RecordingError::of(&self.origin, error)).transpose()?;
        Some(line.map(|line| (line.number, line.text)))
    }
}
