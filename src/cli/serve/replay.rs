//! `serve --replay`: reads a recording to replay.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use colored::Colorize;

use crate::cli::exit::{Exit, Failure};
use crate::cli::format;
use crate::cli::log::LogFormat;
use crate::cli::out::{painted, say};
use crate::cli::recorded::ENCODING;
use crate::player::{Replay, ReplayError, Speed};
use crate::recording::{Recording, RecordingError};
use crate::shell;

/// A recording that was read and can be replayed.
pub(super) struct LoadedReplay {
    pub(super) replay: Replay,
    pub(super) summary: ReplaySummary,
}

/// The replay in the banner.
pub(super) struct ReplaySummary {
    pub(super) file: PathBuf,
    incidents: usize,
    duration: Duration,
    speed: Speed,
    /// How many incidents had begun before a restart.
    pub(super) begun: usize,
}

/// Reads a recording, and warns about what can't be replayed as it happened.
pub(super) fn read(file: &Path, speed: Speed, quiet: bool, log: LogFormat) -> Result<LoadedReplay, Failure> {
    let recording = Recording::open(file).map_err(|error| unreadable(file, error))?;
    for warning in &recording.warnings {
        match log {
            LogFormat::Json => tracing::warn!(%warning, "not all of the recording is replayed"),
            LogFormat::Text if quiet => {}
            LogFormat::Text => say(painted!["warning:".yellow().bold(), " ", warning]),
        }
    }
    let replay = Replay::new(recording, speed).map_err(unplayable)?;
    let (incidents, duration) = (replay.incidents(), replay.duration());
    let summary = ReplaySummary { file: file.to_owned(), incidents, duration, speed, begun: 0 };
    Ok(LoadedReplay { replay, summary })
}

fn unreadable(file: &Path, error: RecordingError) -> Failure {
    let hint = match &error {
        RecordingError::Unreadable { .. } => {
            "make a recording with `incident watch --record FILE`".to_owned()
        }
        RecordingError::Encoding { .. } => ENCODING.to_owned(),
        RecordingError::Line { .. } => {
            format!("`incident validate {}` shows all mistakes in it", shell::file(file))
        }
        RecordingError::Endless { .. } => {
            "correct the event's `time` and `offset_s` and the phases' `play_s`, or remove the incident from the file"
                .to_owned()
        }
        RecordingError::Nothing { .. } => {
            "record from the start with `incident watch --after 0 --record FILE`".to_owned()
        }
    };
    Failure::new(Exit::Usage, error).hint(hint)
}

fn unplayable(error: ReplayError) -> Failure {
    let hint = match &error {
        ReplayError::Speed { recorded, factor, .. } if recorded * factor > 1.0 => {
            let most = Speed::MAX / recorded;
            format!("use --speed {} or less", if most > 1.0 { most.floor() } else { most })
        }
        ReplayError::Speed { recorded, .. } => format!("use --speed {} or more", Speed::MIN / recorded),
        ReplayError::Unplayable { .. } => {
            "shorten the event, or remove the incident from the recording".to_owned()
        }
    };
    Failure::new(Exit::Usage, error).hint(hint)
}

/// `run.ndjson (2 incidents, 03:00 at speed 10)`
impl fmt::Display for ReplaySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, incidents, duration, speed, begun } = self;
        let incidents = format::count(*incidents as u64, "incident");
        let clock = format::clock(duration.as_secs_f64().round());
        write!(f, "{} ({incidents}, {clock} at speed {speed}", file.display())?;
        if *begun > 0 {
            write!(f, "; continued after a restart, {begun} had begun")?;
        }
        f.write_str(")")
    }
}
