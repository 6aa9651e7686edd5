//! What failed or never finished, and what followed from it.

use std::collections::HashMap;

use super::{Act, History};
use crate::contract::Status;

/// Something that was tried and failed at least once, or never finished.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble<'a> {
    /// Every event of it, in order: the first says what was to be done.
    pub acts: Vec<&'a Act>,
    /// Other things that began because an attempt failed: the first event of each, and the last known of it.
    pub followed: Vec<(&'a Act, &'a Act)>,
}

impl<'a> Trouble<'a> {
    /// Attempts that failed.
    pub fn failed(&self) -> impl DoubleEndedIterator<Item = &'a Act> + Clone {
        self.acts.iter().copied().filter(|act| act.action.status == Status::Failed)
    }

    /// How many attempts finished, failed ones included.
    pub fn finished(&self) -> usize {
        self.acts.iter().filter(|act| act.action.status != Status::InProgress).count()
    }

    /// The attempt that completed after the last failed one.
    pub fn recovered(&self) -> Option<&'a Act> {
        let after_failures = self.acts.iter().rev().take_while(|act| act.action.status != Status::Failed);
        let completed = after_failures.filter(|act| act.action.status == Status::Completed).last();
        completed.copied().filter(|_| self.failed().next().is_some())
    }

    /// Whether its last attempt began and never ended.
    pub fn is_unfinished(&self) -> bool {
        self.acts.last().is_some_and(|last| last.action.status == Status::InProgress)
    }
}

/// Everything that did not go right, in the order in which it began.
pub fn troubles(history: &History) -> Vec<Trouble<'_>> {
    let mut places: HashMap<Thing, usize> = HashMap::new();
    let mut things: Vec<Trouble> = Vec::new();
    // Which thing an action is of, and which action caused it.
    let mut place_of: HashMap<u64, usize> = HashMap::new();
    let mut effects: Vec<(usize, u64)> = Vec::new();
    for act in &history.acts {
        let place = *places.entry(thing(act)).or_insert(things.len());
        if place == things.len() {
            things.push(Trouble { acts: Vec::new(), followed: Vec::new() });
        }
        things[place].acts.push(act);
        place_of.insert(act.index, place);
        effects.extend(act.action.caused_by.map(|cause| (place, cause)));
    }
    for (effect, cause) in effects {
        let failed = history.act(cause).is_some_and(|cause| cause.action.status == Status::Failed);
        let Some(place) = place_of.get(&cause).copied().filter(|place| failed && *place != effect) else {
            continue;
        };
        let begun = things[effect].acts.iter().find(|act| act.action.caused_by == Some(cause)).copied();
        let last = things[effect].acts.last().copied();
        things[place].followed.extend(begun.zip(last));
    }
    things.retain(|thing| thing.is_unfinished() || thing.failed().next().is_some());
    things
}

/// What makes two actions attempts at one thing: their step, or where there are no steps who did what.
type Thing<'a> = (Option<&'a str>, &'a str, &'a str);

fn thing(act: &Act) -> Thing<'_> {
    match &act.action.step {
        Some(step) => (Some(step), "", ""),
        None => (None, &act.action.agent, &act.action.action),
    }
}
