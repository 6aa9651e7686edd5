//! Why a recording cannot be played.

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
    /// The recording has no incident with its start.
    #[error("{origin} has no incident to play: {why}")]
    Nothing {
        /// The file.
        origin: String,
        /// Why no incident can be played.
        why: String,
    },
}
