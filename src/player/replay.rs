//! A replay: a recording that is played again. Its incidents start with the same intervals as in the recording.
//!
//! A replay has absolute deadlines, as an incident has. If a process ends during a replay, a player that gets the same
//! recording goes on with what the journal lacks of it, however late it is; it starts a new replay when the one before is
//! over. This needs no state beside the journal, because the names of the incidents in each replay are derived from the
//! recording.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::name;
use super::playable;
use super::speed::Speed;
use crate::contract::IncidentStarted;
use crate::plan::Plan;
use crate::recording::{Recorded, Recording};

/// The names beside its own ones that an incident of a replay can have, if other incidents have those.
const SPARE: u64 = 6;

/// A recording and the speed at which it is played.
#[derive(Debug, Clone)]
pub struct Replay {
    pub(super) cues: Vec<Cue>,
    duration: Duration,
    pub(super) all_begun: AllBegun,
}

/// Whether every incident of a replay has begun: what is left of it is in the journal, and is played to its end without the
/// recording.
#[derive(Debug, Clone, Default)]
pub struct AllBegun(Arc<AtomicBool>);

impl AllBegun {
    /// Whether it is so now.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    pub(super) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// An incident of a replay and when it starts.
#[derive(Debug, Clone)]
pub(super) struct Cue {
    /// The recorded name, used in the first replay in a journal; `None` if an earlier incident of the recording has the
    /// same name.
    pub(super) recorded: Option<String>,
    /// The source and name of the incident: unique among all recordings.
    pub(super) key: String,
    /// Wall-clock time from the start of the replay.
    pub(super) start: Duration,
    pub(super) speed: Speed,
    pub(super) plan: Plan,
}

/// Why a recording can't be replayed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReplayError {
    /// An incident would be played at a speed that is out of range.
    #[error("{incident} was recorded at speed {recorded}; {factor} times that speed is {}, which is out of range", recorded * factor)]
    Speed {
        /// The incident.
        incident: String,
        /// The speed it was recorded at.
        recorded: f64,
        /// How many times faster it was to be played.
        factor: f64,
    },
    /// An incident could begin and not end.
    #[error("{incident} can't be played to its end: {why}")]
    Unplayable {
        /// The incident.
        incident: String,
        /// Which event can't be appended, and why.
        why: String,
    },
}

impl Replay {
    /// A replay that is `factor` times faster than the recording.
    ///
    /// # Errors
    /// An incident would be played at a speed that is out of range, or could begin and not end.
    pub fn new(recording: Recording, factor: Speed) -> Result<Self, ReplayError> {
        let duration = recording.duration().div_f64(factor.get());
        let mut names = HashSet::new();
        let cues = recording.incidents.into_iter().map(|incident| {
            let Recorded { source, id, start, speed: recorded, plan } = incident;
            let out_of_range =
                |_| ReplayError::Speed { incident: id.clone(), recorded, factor: factor.get() };
            let speed = Speed::new(recorded * factor.get()).map_err(out_of_range)?;
            let (key, start) = (format!("{source} {id}"), start.div_f64(factor.get()));
            // Later replays in the same journal have derived names, which may be longer.
            let derived = name::derived(&plan.scenario, &key, 1);
            for name in [&id, &derived] {
                let unplayable = |why| ReplayError::Unplayable { incident: id.clone(), why };
                playable::check(name, &plan, 0).map_err(unplayable)?;
            }
            Ok(Cue { recorded: names.insert(id.clone()).then_some(id), key, start, speed, plan })
        });
        Ok(Self { cues: cues.collect::<Result<_, _>>()?, duration, all_begun: AllBegun::default() })
    }

    /// Tells, while it is played, whether every incident has begun.
    pub fn all_begun(&self) -> AllBegun {
        self.all_begun.clone()
    }

    /// How many incidents the replay has.
    pub fn incidents(&self) -> usize {
        self.cues.len()
    }

    /// How long the replay takes by the wall clock.
    pub fn duration(&self) -> Duration {
        self.duration
    }
}

impl Cue {
    /// When the event with this index is due, counted from the start of the replay.
    pub(super) fn due(&self, index: u64) -> Duration {
        self.start + self.speed.wall(self.plan.due(index).saturating_sub(self.plan.lead()))
    }

    /// Whether an incident that began so is this one, played: it says the same, but for when it began and how fast it is. One
    /// that began when this one was recorded is not played again, it is what was recorded.
    pub(super) fn is_played_as(&self, began: &IncidentStarted) -> bool {
        let Some(recorded) = self.plan.started() else { return false };
        let is_recorded = recorded.impact_started_at == began.impact_started_at;
        let (impact_started_at, speed) = (began.impact_started_at, began.speed);
        !is_recorded && IncidentStarted { impact_started_at, speed, ..recorded } == *began
    }

    /// The names for this incident in the replay with this number, from 0. The player uses the first one that is free.
    pub(super) fn names(&self, number: u64) -> impl Iterator<Item = String> + '_ {
        let derived = move |key: &str| name::derived(&self.plan.scenario, key, number);
        let spare = move |spare: u64| derived(&format!("{} {spare}", self.key));
        self.own_names(number).chain((1..=SPARE).map(spare))
    }

    /// The names of the replay with this number. If both are taken, it was over before retention dropped it.
    pub(super) fn own_names(&self, number: u64) -> impl Iterator<Item = String> + '_ {
        let recorded = self.recorded.clone().filter(|_| number == 0);
        let derived = std::iter::once_with(move || name::derived(&self.plan.scenario, &self.key, number));
        recorded.into_iter().chain(derived)
    }
}
