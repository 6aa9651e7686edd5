//! `serve --replay`: a recording that is played again.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use colored::Colorize;

use super::exit::{Exit, Failure};
use super::format;
use super::log::LogFormat;
use super::say::say;
use crate::player::{Replay, ReplayError, Speed};
use crate::recording::{Recording, RecordingError};

/// A recording that was read and can be played.
pub(super) struct Ready {
    pub(super) replay: Replay,
    pub(super) told: Told,
}

/// What the banner says of it.
pub(super) struct Told {
    file: PathBuf,
    incidents: usize,
    duration: Duration,
    speed: Speed,
    /// How many incidents another server had begun.
    pub(super) begun: usize,
}

/// Reads a recording, and says what of it is not played as it happened.
pub(super) fn read(file: &Path, speed: Speed, quiet: bool, log: LogFormat) -> Result<Ready, Failure> {
    let recording = Recording::open(file).map_err(|error| unreadable(file, error))?;
    for warning in &recording.warnings {
        match log {
            LogFormat::Json => tracing::warn!(%warning, "not all of the recording is played"),
            LogFormat::Text if quiet => {}
            LogFormat::Text => say(format_args!("{} {warning}", "warning:".yellow().bold())),
        }
    }
    let replay = Replay::new(recording, speed).map_err(out_of_range)?;
    let (incidents, duration) = (replay.incidents(), replay.duration());
    let told = Told { file: file.to_owned(), incidents, duration, speed, begun: 0 };
    Ok(Ready { replay, told })
}

fn unreadable(file: &Path, error: RecordingError) -> Failure {
    let hint = match &error {
        RecordingError::Unreadable { .. } => "`incident watch --record FILE` makes a recording".to_owned(),
        RecordingError::Line { .. } => {
            format!("`incident validate {}` tells everything that is wrong with it", file.display())
        }
        RecordingError::Nothing { .. } => {
            "`incident watch --after 0 --record FILE` records from the start".to_owned()
        }
    };
    Failure::new(Exit::Usage, error).hint(hint)
}

fn out_of_range(error: ReplayError) -> Failure {
    let hint = if error.recorded * error.factor > 1.0 {
        let most = Speed::MAX / error.recorded;
        format!("--speed {} or less", if most > 1.0 { most.floor() } else { most })
    } else {
        format!("--speed {} or more", Speed::MIN / error.recorded)
    };
    Failure::new(Exit::Usage, error).hint(hint)
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, incidents, duration, speed, begun } = self;
        let s = if *incidents == 1 { "" } else { "s" };
        let clock = format::clock(duration.as_secs_f64().round());
        write!(f, "{} ({incidents} incident{s}, {clock} at speed {speed}", file.display())?;
        if *begun > 0 {
            write!(f, "; it goes on, {begun} had begun")?;
        }
        f.write_str(")")
    }
}
