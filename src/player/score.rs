//! What a player keeps of a plan while it plays it.

use std::io;

use super::course::{Added, Course};
use crate::plan::{Plan, Upcoming};

/// How far a plan has been played, and what is left of it.
pub(super) struct Score {
    /// How many events the whole plan has.
    pub(super) events: usize,
    /// How many of them are in the journal.
    pub(super) played: usize,
    /// The others.
    pub(super) upcoming: Upcoming,
}

impl Score {
    /// A plan of which so many events are in the journal, beside those that were added.
    ///
    /// # Errors
    /// See [`Upcoming::of`].
    pub(super) fn of(plan: &Plan, played: usize, added: Added) -> io::Result<(Self, Course)> {
        let events = plan.events();
        let upcoming = Upcoming::of(events.get(played..).unwrap_or_default())?;
        Ok((Self { events: events.len(), played, upcoming }, Course::of(plan, played, added)))
    }
}
