//! The outcomes of a step: how likely each is, and how long the step takes until then.

use std::collections::HashMap;

use crate::scenario::file::{On, Step};

/// How a step ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// After its last attempt.
    Failed,
    /// It completes, and draws nothing.
    Completed,
    /// It completes in the way with this number.
    Drawn(usize),
}

/// The outcomes of a step.
pub(super) struct Outcomes {
    /// The chance that all attempts fail.
    failed: f64,
    /// The chance of each way to complete, once it completes.
    pub(super) ways: Vec<f64>,
    way_of: HashMap<String, usize>,
    /// How long one attempt takes, in microseconds.
    once: i64,
    /// How long all attempts take.
    pub(super) longest: i64,
}

impl Outcomes {
    pub(super) fn of(step: &Step) -> Self {
        let fails = step.fails.as_ref().map_or(0.0, |fails| fails.get_ref().clamp(0.0, 1.0));
        let retry = step.retry.as_ref().map(|retry| *retry.get_ref()).filter(|_| fails > 0.0);
        let more = retry.map_or(0, |retry| retry.times);
        let once = step.takes.map_or(0, |takes| takes.0.cast_signed());
        let backoff = retry.map_or(0, |retry| retry.backoff.0.cast_signed());
        let draws = step.draws.iter().flat_map(|draws| &draws.get_ref().0);
        Self {
            failed: fails.powi(more.saturating_add(1).cast_signed()),
            ways: draws.map(|(_, chance)| *chance).collect(),
            way_of: step.ways().map(str::to_owned).zip(0..).collect(),
            once,
            longest: once.saturating_add(once.saturating_add(backoff).saturating_mul(more.into())),
        }
    }

    /// Those that can be.
    pub(super) fn possible(&self) -> impl Iterator<Item = Outcome> {
        let failed = (self.failed > 0.0).then_some(Outcome::Failed);
        let completes = self.failed < 1.0;
        let completed = (completes && self.ways.is_empty()).then_some(Outcome::Completed);
        let ways = self.ways.iter().enumerate().filter(move |(_, chance)| completes && **chance > 0.0);
        failed.into_iter().chain(completed).chain(ways.map(|(way, _)| Outcome::Drawn(way)))
    }

    pub(super) fn chance(&self, outcome: Outcome) -> f64 {
        match outcome {
            Outcome::Failed => self.failed,
            Outcome::Completed => 1.0 - self.failed,
            Outcome::Drawn(way) => (1.0 - self.failed) * self.ways[way],
        }
    }

    /// The chance that what follows on this is reached.
    pub(super) fn chance_of(&self, on: &On) -> f64 {
        match on {
            On::Any => 1.0,
            On::Failed => self.failed,
            On::Completed => 1.0 - self.failed,
            On::Drawn(name) => self.way(name).map_or(0.0, |way| self.chance(Outcome::Drawn(way))),
        }
    }

    pub(super) fn way(&self, name: &str) -> Option<usize> {
        self.way_of.get(name).copied()
    }

    /// Whether what follows on this follows that outcome.
    pub(super) fn is(&self, outcome: Outcome, on: &On) -> bool {
        match (on, outcome) {
            (On::Any, _) | (On::Failed, Outcome::Failed) => true,
            (On::Completed, outcome) => outcome != Outcome::Failed,
            (On::Drawn(name), Outcome::Drawn(way)) => self.way(name) == Some(way),
            (On::Failed | On::Drawn(_), _) => false,
        }
    }

    /// The shortest time until that outcome.
    pub(super) fn takes(&self, outcome: Outcome) -> i64 {
        if outcome == Outcome::Failed { self.longest } else { self.once }
    }
}

/// The least of some numbers, each of a step, and the least without one of them.
#[derive(Clone, Copy, Default)]
pub(super) struct Least {
    first: Option<(i64, usize)>,
    second: Option<i64>,
}

impl Least {
    pub(super) fn add(&mut self, number: i64, step: usize) {
        match self.first {
            Some((first, _)) if first <= number => {
                self.second = Some(self.second.map_or(number, |second| second.min(number)));
            }
            first => {
                self.second = first.map(|(first, _)| first);
                self.first = Some((number, step));
            }
        }
    }

    /// The least without that step's; as large as can be if there is none.
    pub(super) fn but(&self, step: Option<usize>) -> i64 {
        let least = match self.first {
            Some((_, first)) if Some(first) == step => self.second,
            first => first.map(|(number, _)| number),
        };
        least.unwrap_or(i64::MAX)
    }

    /// The least, and its step.
    pub(super) fn least(&self) -> (i64, Option<usize>) {
        self.first.map_or((i64::MAX, None), |(number, step)| (number, Some(step)))
    }
}
