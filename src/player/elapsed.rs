//! How long an incident of an earlier process has been going on. Only the wall clock knows how long no process ran, and it
//! may have been set in the meantime.

use std::time::Duration;

use jiff::Timestamp;

use super::pace::Reached;
use crate::journal::Clock;

/// A longer distance between the time of an event and the time at which it was due shows that the clock was set.
const STEP: Duration = Duration::from_secs(60);

/// The longest time that a process which was behind had before it.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The last event that an earlier process appended.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastAppended {
    pub(super) time: Timestamp,
    /// How far the process had come, counted from the beginning.
    pub(super) reached: Reached,
    /// When the event after it is due.
    pub(super) next: Duration,
}

/// How long ago something began, according to a journal's clock.
///
/// The time up to the last event is the difference of the two times, unless it contradicts the plan: then it is what the
/// plan, and the events of a process that was late, say. The time since then is what the clock says, unless the clock cannot
/// be right: then the player goes on where the earlier one stopped. So nothing becomes overdue, or waits, because the clock
/// was set.
pub(super) fn since(clock: &Clock, began: Timestamp, last: LastAppended) -> Duration {
    let stopped = clock.elapsed_since(last.time).unwrap_or_default();
    let Reached { at, is_behind } = last.reached;
    // A player appends everything that is due: had it been later, the next event would be there, unless it was killed before.
    let longest = last.next.max(at).saturating_add(if is_behind { LONGEST } else { STEP });
    let possible = at.saturating_sub(STEP)..=longest;
    let until_last = Duration::try_from(last.time.duration_since(began)).ok();
    until_last.filter(|until| possible.contains(until)).unwrap_or(at).saturating_add(stopped)
}

/// How far the steady clock of a process may be behind the events that it reads: they take a moment to come.
const READ_WITHIN: Duration = Duration::from_secs(2);

/// How long ago something began that this process has seen begin, by its own steady clock. That clock stands still while the machine is
/// suspended, and counts from later if the beginning was read late: if the events tell of more time than it has counted, it is not believed.
pub(super) fn by_steady(seen: Duration, clock: &Clock, began: Timestamp, last: LastAppended) -> Duration {
    let at = last.reached.at;
    if seen.saturating_add(READ_WITHIN) >= at { seen.max(at) } else { since(clock, began, last).max(at) }
}
