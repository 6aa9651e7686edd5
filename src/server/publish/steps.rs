//! What the worker answers for the events of requests, and the records that it stores for them.

use std::collections::HashMap;

use super::known::Subject;
use super::waiting::{Placed, numbered};
use crate::ingest::{Fault, Kind, Refused, Sound};
use crate::journal::Record;
use crate::player::Addition;

/// What is to be answered for one event.
pub(super) enum Step {
    /// The record with this number in the batch, which may be that of an earlier event.
    Record {
        number: usize,
        repeats: bool,
    },
    /// The action with this number among those that the request adds to a drill, which may be that of an earlier event.
    Addition {
        number: usize,
        repeats: bool,
    },
    /// It is stored already.
    Stored(Placed),
    Refused(Vec<Fault>),
}

/// The records of several requests, and what is to be answered for each of their events.
#[derive(Default)]
pub(super) struct Group {
    pub(super) records: Vec<Record>,
    /// `None` for a request that is to be judged again.
    pub(super) steps: Vec<Option<Result<Steps, Refused>>>,
    /// The incidents that were changed, as they were before.
    pub(super) undo: HashMap<String, Subject>,
    /// Whether an event did not fit its incident.
    pub(super) unfit: bool,
}

/// What is to be answered for the events of a request, and the actions that it adds to a drill.
#[derive(Default)]
pub(super) struct Steps {
    pub(super) answers: Vec<Step>,
    pub(super) drill: Option<String>,
    pub(super) additions: Vec<Addition>,
}

/// The fault of an event whose id another event has.
pub(super) fn reused(sound: &Sound) -> Fault {
    let event = sound.event();
    let detail = format!("{} was used for another event of {}", event.id, event.source);
    Fault::new(Kind::IdReused, "/id", detail)
}

/// The refusal of a request of which nothing is stored.
pub(super) fn refused(answers: Vec<Step>) -> Refused {
    let faults = answers.into_iter().map(|step| match step {
        Step::Refused(faults) => Some(faults),
        _ => None,
    });
    Refused::of(numbered(faults))
}

/// A refusal that names an event by its number in the request, not by its number among the additions.
pub(super) fn of_events(refused: Refused, answers: &[Step]) -> Refused {
    let of = |addition: usize| {
        let is = |step: &Step| matches!(step, Step::Addition { number, .. } if *number == addition);
        answers.iter().position(is).unwrap_or(addition)
    };
    if refused.faults.is_empty() {
        return refused;
    }
    let faults = refused.faults.into_iter().map(|fault| {
        let event = of(fault.event);
        fault.of(event)
    });
    Refused::of(faults.collect())
}
