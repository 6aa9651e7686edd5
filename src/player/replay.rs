//! A recording played again: its incidents start as far apart as they did.
//!
//! A replay is one thing with absolute deadlines, as an incident is. A player that is given the same recording
//! while it would still be playing goes on with what a dead process left of it; afterwards it is a new replay. No
//! state is kept for that beside the journal: the names of an incident in each replay follow from the recording.

use std::collections::HashSet;
use std::time::Duration;

use super::name;
use super::speed::Speed;
use crate::plan::Plan;
use crate::recording::{Recorded, Recording};

/// A recording at a speed.
#[derive(Debug, Clone)]
pub struct Replay {
    pub(super) cues: Vec<Cue>,
    pub(super) duration: Duration,
}

/// One incident and when it starts.
#[derive(Debug, Clone)]
pub(super) struct Cue {
    /// Its name in the first replay that a journal sees; `None` if another of the recording has it.
    pub(super) recorded: Option<String>,
    /// What tells it from every other incident of any recording.
    pub(super) key: String,
    /// Wall-clock time from the start of the replay.
    pub(super) start: Duration,
    pub(super) speed: Speed,
    pub(super) plan: Plan,
}

/// The speed at which an incident would be played is out of range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{incident} was recorded at speed {recorded}; {factor} times that is {} and out of range", recorded * factor)]
pub struct ReplayError {
    /// The incident.
    pub incident: String,
    /// The speed it was recorded at.
    pub recorded: f64,
    /// How many times faster it was to be played.
    pub factor: f64,
}

impl Replay {
    /// Everything `factor` times faster than it was recorded.
    ///
    /// # Errors
    /// An incident whose speed is none then.
    pub fn new(recording: Recording, factor: Speed) -> Result<Self, ReplayError> {
        let duration = recording.duration().div_f64(factor.get());
        let mut names = HashSet::new();
        let cues = recording.incidents.into_iter().map(|incident| {
            let Recorded { source, id, start, speed: recorded, plan } = incident;
            let out_of_range = |_| ReplayError { incident: id.clone(), recorded, factor: factor.get() };
            let speed = Speed::new(recorded * factor.get()).map_err(out_of_range)?;
            let (key, start) = (format!("{source} {id}"), start.div_f64(factor.get()));
            Ok(Cue { recorded: names.insert(id.clone()).then_some(id), key, start, speed, plan })
        });
        Ok(Self { cues: cues.collect::<Result<_, _>>()?, duration })
    }

    /// How many incidents it has.
    pub fn incidents(&self) -> usize {
        self.cues.len()
    }

    /// How long it takes by the wall clock.
    pub fn duration(&self) -> Duration {
        self.duration
    }
}

impl Cue {
    /// Its names in a replay, counted from 0: the first that is free is taken.
    pub(super) fn names(&self, number: u64) -> impl Iterator<Item = String> + '_ {
        let recorded = self.recorded.clone().filter(|_| number == 0);
        let derived = std::iter::once_with(move || name::derived(&self.plan.scenario, &self.key, number));
        recorded.into_iter().chain(derived)
    }
}
