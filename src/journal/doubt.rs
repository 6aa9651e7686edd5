//! What is said about a machine's clock that seems to be wrong when a journal is opened.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::time_source::{HIDDEN, NEVER_SET_BEFORE_US};

/// Why the machine's clock, or the times of a journal's newest events, seem to be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockDoubt {
    /// The clock shows a time before 2020: it was never set.
    NeverSet {
        /// What it shows.
        wall: Timestamp,
    },
    /// The newest event is dated later than the clock shows.
    NewestAhead {
        /// The time of the newest event.
        newest: Timestamp,
        /// How far it is ahead.
        ahead: Duration,
    },
}

impl ClockDoubt {
    /// What is wrong with the clock, which shows `wall`, or with the newest event of the journal.
    pub(super) fn find(wall: Timestamp, newest_us: Option<i64>) -> Option<Self> {
        if wall.as_microsecond() < NEVER_SET_BEFORE_US {
            return Some(Self::NeverSet { wall });
        }
        let newest = Timestamp::from_microsecond(newest_us?).ok()?;
        let ahead = Duration::try_from(newest.duration_since(wall)).ok()?;
        (ahead > HIDDEN).then_some(Self::NewestAhead { newest, ahead })
    }
}

impl fmt::Display for ClockDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverSet { wall } => write!(
                f,
                "this machine's clock shows {wall:.0}, so it was never set: set it; events are dated by it until then"
            ),
            Self::NewestAhead { newest, ahead } => write!(
                f,
                "the newest event is dated {newest:.0}, {} ahead of this machine's clock: the clock is wrong now, or was \
                 wrong then; new incidents are dated by the clock as it is now",
                span(*ahead)
            ),
        }
    }
}

/// A duration for people, in its largest unit: `4 years`, `2 hours`, `30 seconds`.
pub(super) fn span(duration: Duration) -> String {
    let units = [("year", 365 * 86_400), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1_u64)];
    let seconds = duration.as_secs_f64().round() as u64;
    let fits = units.into_iter().find(|(_, unit)| seconds >= 2 * unit).unwrap_or(("second", 1));
    let many = (seconds + fits.1 / 2) / fits.1;
    format!("{many} {}{}", fits.0, if many == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_said_in_its_largest_unit() {
        let said = [1, 30, 119, 120, 7_200, 100_000, 5 * 365 * 86_400].map(Duration::from_secs).map(span);
        assert_eq!(
            said,
            ["1 second", "30 seconds", "119 seconds", "2 minutes", "2 hours", "28 hours", "5 years"]
        );
    }
}
