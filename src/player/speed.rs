//! How fast an incident is played.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Screen seconds a wall-clock second, from [`Speed::MIN`] to [`Speed::MAX`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed(f64);

/// Why a number is no speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a speed is a number from 0.001 to 10000: 1 is real time, 10 is ten times faster")]
pub struct SpeedError;

impl Speed {
    /// As the scenario says.
    pub const REAL_TIME: Self = Self(1.0);

    /// Three minutes in two days: beyond, nobody is watching.
    pub const MIN: f64 = 0.001;

    /// Three minutes in 18 ms: beyond, the timer's millisecond says nothing any more.
    pub const MAX: f64 = 10_000.0;

    /// Refuses 0, negative numbers, not-a-number and what is out of range.
    pub fn new(speed: f64) -> Result<Self, SpeedError> {
        if (Self::MIN..=Self::MAX).contains(&speed) { Ok(Self(speed)) } else { Err(SpeedError) }
    }

    /// How long so much screen time takes at this speed. Microseconds.
    pub fn wall(self, screen_us: u64) -> Duration {
        Duration::from_secs_f64(screen_us as f64 / 1e6 / self.0)
    }

    /// As a number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Speed {
    type Err = SpeedError;

    fn from_str(text: &str) -> Result<Self, SpeedError> {
        text.trim_end_matches(['x', '×']).parse().map_err(|_| SpeedError).and_then(Self::new)
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
