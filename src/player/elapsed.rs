//! How long an incident of an earlier process has been going on. Only the wall clock knows how long no process ran, and it
//! may have been set in the meantime.

use std::time::Duration;

use jiff::Timestamp;

use crate::journal::Clock;

/// A longer distance between the time of an event and the time at which it was due shows that the clock was set.
const STEP: Duration = Duration::from_secs(60);

/// The last event that an earlier process appended.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastAppended {
    pub(super) time: Timestamp,
    /// When it was due, counted from the beginning.
    pub(super) due: Duration,
    /// When the event after it is due.
    pub(super) next: Duration,
}

/// How long ago something began, according to a journal's clock.
///
/// The time up to the last event is the difference of the two times, unless it contradicts the plan: then it is what the
/// plan says. The time since then is what the clock says, unless the clock cannot be right: then the player goes on where
/// the earlier one stopped. So nothing becomes overdue, or waits, because the clock was set.
pub(super) fn since(clock: &Clock, began: Timestamp, last: LastAppended) -> Duration {
    let stopped = clock.elapsed_since(last.time).unwrap_or_default();
    // A player appends everything that is due: had it been later, the next event would be there.
    let possible = last.due.saturating_sub(STEP)..=last.next.saturating_add(STEP);
    let until_last = Duration::try_from(last.time.duration_since(began)).ok();
    until_last.filter(|until| possible.contains(until)).unwrap_or(last.due).saturating_add(stopped)
}
