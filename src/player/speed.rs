//! The speed at which an incident is played.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Screen seconds per second of the wall clock, from [`Speed::MIN`] to [`Speed::MAX`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed(f64);

/// The number is not a speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the speed must be a number from 0.001 to 10000: 1 is real time, 10 is ten times faster")]
pub struct SpeedError;

impl Speed {
    /// The speed of the scenario itself: 1.
    pub const REAL_TIME: Self = Self(1.0);

    /// The lowest speed. A scenario of three minutes then takes two days.
    pub const MIN: f64 = 0.001;

    /// The highest speed. A scenario of three minutes then takes 18 ms; timers are accurate to a millisecond only.
    pub const MAX: f64 = 10_000.0;

    /// Refuses numbers that are out of range, among them 0, negative numbers and not-a-number.
    pub fn new(speed: f64) -> Result<Self, SpeedError> {
        if (Self::MIN..=Self::MAX).contains(&speed) { Ok(Self(speed)) } else { Err(SpeedError) }
    }

    /// How long `screen_us` microseconds of screen time take at this speed.
    pub fn wall(self, screen_us: u64) -> Duration {
        Duration::from_secs_f64(screen_us as f64 / 1e6 / self.0)
    }

    /// The speed as a number.
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
