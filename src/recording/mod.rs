//! Recordings: the events of a stream, one a line, turned into what is played again.

mod course;
mod line;
mod lines;
mod reader;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use crate::plan::Plan;

use lines::{LineError, Lines};
use reader::Reader;

/// The incidents of a recording that can be played.
#[derive(Debug, Clone)]
pub struct Recording {
    /// In the order of their starts; at least one.
    pub incidents: Vec<Recorded>,
    /// What is not played as it happened, and why; each names its place.
    pub warnings: Vec<String>,
}

/// One incident, from its start to its resolution or to where the recording ends.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The stream it was in, as its events name it.
    pub source: String,
    /// Its id there.
    pub id: String,
    /// How long after the first start of the recording it started, by the wall clock.
    pub start: Duration,
    /// The speed it was played at: its plan's due times are the recorded ones times this.
    pub speed: f64,
    /// What happens when.
    pub plan: Plan,
}

/// Why there is nothing to play.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file can't be read.
    #[error("{origin} cannot be read")]
    Unreadable {
        /// The file.
        origin: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line is no event, or not the one that has to come.
    #[error("{origin}:{line}: {what}")]
    Line {
        /// The file.
        origin: String,
        /// From 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// It is not text in an encoding that is read.
    #[error("{origin}:{line}: {what}")]
    Encoding {
        /// The file.
        origin: String,
        /// From 1.
        line: usize,
        /// What it is instead.
        what: String,
    },
    /// No incident is there from its start.
    #[error("{origin} has no incident to play: {why}")]
    Nothing {
        /// The file.
        origin: String,
        /// What it has instead.
        why: String,
    },
}

impl RecordingError {
    fn of(origin: &str, error: LineError) -> Self {
        let origin = origin.to_owned();
        match error {
            LineError::Io(source) => Self::Unreadable { origin, source },
            LineError::Long(line, what) => Self::Line { origin, line, what },
            LineError::Encoding(line, what) => Self::Encoding { origin, line, what },
        }
    }
}

/// The text of a recording as UTF-8 without byte order marks, for whoever reads its lines in another way.
///
/// # Errors
/// It can't be read, is in another encoding than UTF-8 or UTF-16, or has a line that is longer than any event.
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

impl Recording {
    /// Reads a file.
    pub fn open(file: &Path) -> Result<Self, RecordingError> {
        let origin = file.display().to_string();
        match File::open(file) {
            Ok(opened) => Self::read(BufReader::with_capacity(64 * 1024, opened), &origin),
            Err(source) => Err(RecordingError::Unreadable { origin, source }),
        }
    }

    /// Reads lines. `origin` names them in errors.
    ///
    /// Control messages and repeats are skipped. An incident whose start is missing is left out, one whose end is
    /// missing is cancelled where its stream ends, and a last line that is torn does not count.
    ///
    /// # Errors
    /// A line that is no event of the contract; events of an incident that are missing, or come after its end;
    /// no incident from its start.
    pub fn read(lines: impl BufRead, origin: &str) -> Result<Self, RecordingError> {
        Reader::new(origin).read(lines)
    }

    /// From the first start to the last event, by the wall clock.
    pub fn duration(&self) -> Duration {
        self.incidents.iter().map(Recorded::end).max().unwrap_or_default()
    }
}

impl Recorded {
    /// How long after the first start of the recording it ended.
    fn end(&self) -> Duration {
        self.start.saturating_add(Duration::from_secs_f64(self.plan.duration() as f64 / 1e6 / self.speed))
    }
}
