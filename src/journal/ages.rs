//! The ages of events, for retention by age. An age is never the difference of the wall clock and an event's time alone.
//!
//! An event that this process has stored ages by the steady clock. An event of an earlier process was as old when the
//! journal was opened as the wall clock said then, and has aged by the steady clock since. So a clock that is set, or a
//! machine that was suspended, makes no event older. The wall clock may have been ahead when the journal was opened, as after a
//! boot, and have been set since: so what becomes too old must be so by the wall clock of that moment, too. But no event of an
//! earlier process is kept for longer than the retention age after the opening. A journal that was just opened keeps everything for
//! [`AFTER_OPENING`], or for the retention age if that is shorter: clients that reconnect get what they missed.
//!
//! The time of a stored event may be wrong. It is not believed if it lies in the future or before 2020; then the event is
//! as old as the one that was appended before it.

use std::collections::VecDeque;
use std::time::Duration;

use super::clock::Clock;
use super::time_source::{HIDDEN, NEVER_SET_BEFORE_US};

/// How long everything is kept after the journal was opened, unless the retention age is shorter.
const AFTER_OPENING: Duration = Duration::from_secs(10 * 60);

/// How many steps a retention age is measured in.
const STEPS: u32 = 256;

/// When events become too old, on the steady clock.
#[derive(Debug)]
pub(super) struct Ages {
    /// The highest age; `None` if events have none.
    limit: Option<Duration>,
    /// In order of positions and of `expires`.
    marks: VecDeque<Mark>,
    /// The position up to which events are too old.
    expired: u64,
}

/// Events up to a position that become too old at the same time.
#[derive(Debug, Clone, Copy)]
struct Mark {
    upto: u64,
    /// When the first of them would be too old.
    first: Duration,
    expires: Duration,
    /// Events of an earlier process: their time in microseconds since 1970, if it is believed, and when they are too old whatever the
    /// wall clock shows.
    found: Option<(i64, Duration)>,
}

impl Ages {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Self { limit, marks: VecDeque::new(), expired: 0 }
    }

    /// Whether events become too old at all.
    pub(super) fn has_limit(&self) -> bool {
        self.limit.is_some()
    }

    /// Takes in the events of earlier processes: positions in ascending order, each with the time of its event in
    /// microseconds since 1970. The events between two of them count as the later one. `wall_us` and `steady` show now.
    pub(super) fn found(&mut self, events: &[(u64, i64)], wall_us: i64, steady: Duration) {
        let Some(limit) = self.limit else { return };
        let future = wall_us.saturating_add(HIDDEN.as_micros() as i64);
        let is_believed = |time: &i64| (NEVER_SET_BEFORE_US..=future).contains(time);
        // The first events have no earlier ones. They are at least as old as those that follow.
        let mut latest = events.iter().map(|(_, time)| *time).find(is_believed);
        for (upto, time) in events {
            latest = latest.map(|latest| if is_believed(time) { latest.max(*time) } else { latest });
            let age = latest.map_or(0, |time| u64::try_from(wall_us - time).unwrap_or(0));
            let rest = limit.saturating_sub(Duration::from_micros(age)).max(AFTER_OPENING.min(limit));
            let expires = steady.saturating_add(rest);
            let found = latest.map(|time| (time, steady.saturating_add(limit)));
            self.marks.push_back(Mark { upto: *upto, first: expires, expires, found });
        }
    }

    /// Takes in the events up to `head`, which this process has stored.
    pub(super) fn stored(&mut self, head: u64, steady: Duration) {
        let Some(limit) = self.limit else { return };
        let expires = steady.saturating_add(limit);
        match self.marks.back_mut() {
            Some(last) if last.upto >= head => {}
            // A few events become too old a little later, so that there are few marks.
            Some(last) if expires.saturating_sub(last.first) < limit / STEPS => {
                (last.upto, last.expires) = (head, expires);
            }
            _ => self.marks.push_back(Mark { upto: head, first: expires, expires, found: None }),
        }
    }

    /// The position up to which events are too old.
    pub(super) fn expired(&mut self, clock: &Clock) -> u64 {
        let steady = clock.steady();
        while let Some(mark) = self.marks.front_mut().filter(|mark| mark.expires <= steady) {
            let limit = self.limit.unwrap_or_default();
            let rest = mark.found.map_or(Duration::ZERO, |(time, longest)| {
                let age = u64::try_from(clock.now().as_microsecond().saturating_sub(time)).unwrap_or(0);
                limit.saturating_sub(Duration::from_micros(age)).min(longest.saturating_sub(steady))
            });
            if !rest.is_zero() {
                mark.expires = steady.saturating_add(rest);
                break;
            }
            self.expired = mark.upto;
            self.marks.pop_front();
        }
        self.expired
    }
}
