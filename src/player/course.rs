//! What the journal has of an incident that is played: planned events, and those that people and programs have added.

use super::error::AddError;
use crate::contract::{Actions, Phase, ScreenMap};
use crate::ingest::Remembered;
use crate::journal::{Lease, Term};
use crate::plan::{Plan, PlannedEvent};

/// Events that were added to an incident beside its plan.
#[derive(Debug, Clone, Default)]
pub(super) struct Added {
    /// Their indexes, rising.
    pub(super) indexes: Vec<u64>,
    /// The finished actions among them.
    pub(super) actions: Actions,
    /// What readers remember of them.
    pub(super) remembered: Remembered,
}

/// How far an incident has come. It changes only while its lock is held, so that whoever holds it knows the next index.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// How many planned events are in the journal; `None` while the player does not know that.
    pub(super) played: Option<usize>,
    pub(super) added: Added,
    /// The lease under which the incident is played; `None` before that.
    pub(super) term: Option<Term>,
    /// Whether an event may have been added without an answer of the journal.
    pub(super) is_doubtful: bool,
    phases: Vec<Phase>,
    map: ScreenMap,
    /// Planned seconds of the newest and of the next planned event.
    between: (f64, f64),
}

impl Added {
    /// The index of a planned event, whose number in its plan this is.
    pub(super) fn index_of(&self, number: u64) -> u64 {
        self.indexes.iter().fold(number, |index, added| if *added <= index { index + 1 } else { index })
    }

    /// The number in its plan of the planned event with this index.
    pub(super) fn number_of(&self, index: u64) -> u64 {
        index.saturating_sub(self.indexes.iter().filter(|added| **added <= index).count() as u64)
    }

    /// A planned event as it is appended: its references and totals count what was added.
    pub(super) fn adjusted(&self, event: &PlannedEvent) -> PlannedEvent {
        if self.indexes.is_empty() {
            return event.clone();
        }
        event.beside(|number| self.index_of(number), self.actions)
    }
}

impl Course {
    /// An incident of which the journal has so many events of the plan, and what was added to them.
    pub(super) fn of(plan: &Plan, played: usize, added: Added) -> Self {
        let phases = plan.started().map(|started| started.phases).unwrap_or_default();
        let mut course = Self { map: ScreenMap::of(&phases), phases, added, ..Self::default() };
        let events = plan.events();
        let newest = played.checked_sub(1).and_then(|place| events.get(place));
        course.advance(played, newest, events.get(played));
        course
    }

    /// The same, from when it is played under this lease.
    pub(super) fn under(mut self, lease: &Lease) -> Self {
        self.term = Some(lease.term());
        self
    }

    /// So many events of the plan are in the journal now: the newest of them, and the one that comes next.
    pub(super) fn advance(
        &mut self,
        played: usize,
        newest: Option<&PlannedEvent>,
        next: Option<&PlannedEvent>,
    ) {
        let second = |event: &PlannedEvent| event.message().ok()?.offset_s();
        let last = newest.and_then(second).unwrap_or(self.between.0);
        self.between = (last, next.and_then(second).unwrap_or(last).max(last));
        self.played = Some(played);
    }

    /// The index of the newest event.
    pub(super) fn index(&self) -> Result<u64, AddError> {
        let played = self.played.ok_or(AddError::Later)?;
        Ok((played + self.added.indexes.len()) as u64)
    }

    /// The second of the incident after so many microseconds of screen time, between the planned events around it, and the
    /// phase of that second.
    pub(super) fn moment(&mut self, screen_us: u64) -> (f64, Option<&str>) {
        let (last, next) = self.between;
        let second = ((self.map.incident(screen_us) / 1_000) as f64 / 1e3).clamp(last, next);
        self.between.0 = second;
        let phase = self.phases.iter().rfind(|phase| phase.start_s <= second);
        (second, phase.map(|phase| phase.name.as_str()))
    }
}
