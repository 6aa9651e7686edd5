//! Actions that failed or never finished, and the actions that they led to.

use std::collections::HashMap;

use super::history::{ActionEvent, History};
use crate::contract::Status;

/// An action that failed in at least one attempt, or never finished.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedAction<'a> {
    /// All events of the action, in order. The first one says what the agent tried to do.
    pub events: Vec<&'a ActionEvent>,
    /// Other actions that began because an attempt failed: the first and the last known event of each.
    pub consequences: Vec<(&'a ActionEvent, &'a ActionEvent)>,
}

impl<'a> FailedAction<'a> {
    /// The attempts that failed.
    pub fn failed(&self) -> impl DoubleEndedIterator<Item = &'a ActionEvent> + Clone {
        self.events.iter().copied().filter(|event| event.action.status == Status::Failed)
    }

    /// How many attempts finished, including the failed ones.
    pub fn finished(&self) -> usize {
        self.events.iter().filter(|event| event.action.status != Status::InProgress).count()
    }

    /// The attempt that completed after the last failed one.
    pub fn recovered(&self) -> Option<&'a ActionEvent> {
        let after_failures =
            self.events.iter().rev().take_while(|event| event.action.status != Status::Failed);
        let completed = after_failures.filter(|event| event.action.status == Status::Completed).last();
        completed.copied().filter(|_| self.failed().next().is_some())
    }

    /// Whether its last attempt began and did not end.
    pub fn is_unfinished(&self) -> bool {
        self.events.last().is_some_and(|last| last.action.status == Status::InProgress)
    }
}

/// All actions that failed or never finished, in the order in which they began.
pub fn failed_actions(history: &History) -> Vec<FailedAction<'_>> {
    let mut places: HashMap<Identity, usize> = HashMap::new();
    let mut actions: Vec<FailedAction> = Vec::new();
    // For each event the action that it belongs to; for each action the events that caused it.
    let mut place_of: HashMap<u64, usize> = HashMap::new();
    let mut effects: Vec<(usize, u64)> = Vec::new();
    // For each action and cause the first event.
    let mut begun: HashMap<(usize, u64), &ActionEvent> = HashMap::new();
    for event in &history.actions {
        let place = *places.entry(identity(event)).or_insert(actions.len());
        if place == actions.len() {
            actions.push(FailedAction { events: Vec::new(), consequences: Vec::new() });
        }
        actions[place].events.push(event);
        place_of.insert(event.index, place);
        if let Some(cause) = event.action.caused_by {
            effects.push((place, cause));
            begun.entry((place, cause)).or_insert(event);
        }
    }
    for (effect, cause) in effects {
        let failed = history.action(cause).is_some_and(|cause| cause.action.status == Status::Failed);
        let Some(place) = place_of.get(&cause).copied().filter(|place| failed && *place != effect) else {
            continue;
        };
        let begun = begun.get(&(effect, cause)).copied();
        let last = actions[effect].events.last().copied();
        actions[place].consequences.extend(begun.zip(last));
    }
    actions.retain(|action| action.is_unfinished() || action.failed().next().is_some());
    actions
}

/// What two events of the same action have in common: the step, or without steps the agent and the kind of action.
type Identity<'a> = (Option<&'a str>, &'a str, &'a str);

fn identity(event: &ActionEvent) -> Identity<'_> {
    match &event.action.step {
        Some(step) => (Some(step), "", ""),
        None => (None, &event.action.agent, &event.action.action),
    }
}
