//! Why a recording cannot be played.

use super::lines::LineError;

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be read.
    #[error("{origin} cannot be read")]
    Unreadable {
        /// The file.
        origin: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A line is not an event, or not the event that has to follow.
    #[error("{origin}:{line}: {what}")]
    Line {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with the line.
        what: String,
    },
    /// The file is not text in an encoding that is read.
    #[error("{origin}:{line}: {what}")]
    Encoding {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// What the file is instead.
        what: String,
    },
    /// An incident would be played for more than a year.
    #[error("{origin}:{line}: {what}")]
    Endless {
        /// The file.
        origin: String,
        /// The line of the first event that is too late, from 1.
        line: usize,
        /// Which event it is, and how late.
        what: String,
    },
    /// The recording has no incident with its start.
    #[error("{origin} has no incident to play: {why}")]
    Nothing {
        /// The file.
        origin: String,
        /// Why no incident can be played.
        why: String,
    },
}

impl RecordingError {
    pub(super) fn of(origin: &str, error: LineError) -> Self {
        let origin = origin.to_owned();
        match error {
            LineError::Io(source) => Self::Unreadable { origin, source },
            LineError::Long(line, what) => Self::Line { origin, line, what },
            LineError::Encoding(line, what) => Self::Encoding { origin, line, what },
        }
    }
}
