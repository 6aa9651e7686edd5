//! What the clocks show at one moment: the steady one, by which alerts are due, and the wall clock, by which they are told.

use jiff::{SignedDuration, Timestamp};

/// A longer distance between a time and its moment on the steady clock shows that the wall clock was set.
const STEP: SignedDuration = SignedDuration::from_mins(1);

/// Two clocks, read together. Together they also say when, by the wall clock, something is that happens by the steady one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// The wall clock, which people and programs set.
    pub wall: Timestamp,
    /// The steady clock, which nobody sets: the time since any fixed moment.
    pub steady: SignedDuration,
}

impl Shown {
    /// The moment at which the wall clock shows this, if nobody sets it.
    pub fn moment(&self, time: Timestamp) -> SignedDuration {
        self.steady.saturating_add(time.duration_since(self.wall))
    }

    /// What the wall clock shows at a moment, if it goes as it goes now.
    pub fn time(&self, moment: SignedDuration) -> Timestamp {
        let since = moment.saturating_sub(self.steady);
        let end = if since.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
        self.wall.checked_add(since).unwrap_or(end)
    }

    /// A time that was said of a moment, unless the wall clock was set in between: then what it shows of that moment now.
    pub(super) fn unless_set(&self, said: Timestamp, moment: SignedDuration) -> Timestamp {
        let time = self.time(moment);
        if said.duration_since(time).abs() > STEP { time } else { said }
    }

    /// When something was that was dated `time` and is heard of now: at most a minute ago, since it was heard of at once or the wall
    /// clock was set.
    pub fn heard(&self, time: Timestamp) -> SignedDuration {
        let ago = self.wall.duration_since(time);
        let is_believed = (SignedDuration::ZERO..=STEP).contains(&ago);
        if is_believed { self.steady.saturating_sub(ago) } else { self.steady }
    }

    /// How far the wall clock is ahead of the steady one.
    pub(super) fn ahead(&self) -> SignedDuration {
        self.wall.as_duration().saturating_sub(self.steady)
    }
}
