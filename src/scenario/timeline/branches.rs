//! The branches of a file: how likely each is, and whether an incident that takes it can be played to its end.
//!
//! A step follows at most one other, and its own dice decide its outcome. So the chance of a branch is the product of the
//! chances along the way to it. A branch can be played if, with the luckiest outcomes of all other steps, every step is over
//! before the incident ends. Both are exact, and take time in proportion to the steps, where trying seeds would not find
//! what is rare.

use std::collections::HashMap;

use super::outcomes::{Least, Outcome, Outcomes};
use super::schedule::delay;
use crate::scenario::diagnostic::{Diagnostic, MOST_DIAGNOSTICS};
use crate::scenario::file::{On, ScenarioFile};
use crate::scenario::suggest::shortened;

/// A branch that is taken less often is never seen.
const NEGLIGIBLE: f64 = 1e-6;

/// Warnings of branches that no seed plays, or hardly any.
pub(in crate::scenario) fn branches(file: &ScenarioFile) -> Vec<Diagnostic> {
    let is_drawn = file.steps.iter().any(|step| step.draws.is_some() || step.fails.is_some());
    if !is_drawn {
        return Vec::new();
    }
    let Some(mut tree) = Tree::of(file) else { return Vec::new() };
    tree.look_back();
    let mut found = Vec::new();
    tree.look_ahead(&mut found);
    found
}

/// A step in the tree of what follows what.
struct Node {
    parent: Option<usize>,
    /// From the end of the parent, or from second 0.
    delay: i64,
    outcomes: Outcomes,
    /// The outcome that the resolution needs.
    needed: Option<On>,
    /// The latest start with which the step and what follows can be over in time.
    latest: i64,
    /// How late its followers may begin: those that follow each outcome. Without any, as late as there is time.
    after_failed: Least,
    after_completed: Least,
    after_way: Vec<Least>,
    /// Whether a step follows only if this one fails.
    leads_by_failing: bool,
}

struct Tree<'a> {
    file: &'a ScenarioFile,
    nodes: Vec<Node>,
    /// Parents before children.
    order: Vec<usize>,
    end: i64,
}

impl<'a> Tree<'a> {
    /// `None` if the incident has no end.
    fn of(file: &'a ScenarioFile) -> Option<Self> {
        let places: HashMap<&str, usize> =
            file.steps.iter().zip(0..).map(|(step, place)| (step.id.get_ref().as_str(), place)).collect();
        let place = |id: &str| places.get(id).copied();
        let mut nodes = Vec::with_capacity(file.steps.len());
        let mut children = vec![Vec::new(); file.steps.len()];
        let mut order = Vec::with_capacity(file.steps.len());
        for (number, step) in file.steps.iter().enumerate() {
            let (parent, delay) = match (&step.at, &step.after) {
                (Some(at), _) => (None, at.get_ref().0),
                (None, Some(after)) => (Some(place(after.step.get_ref())?), delay(step.delay.as_ref()).0),
                (None, None) => (None, 0),
            };
            match parent {
                Some(parent) => children[parent].push(number),
                None => order.push(number),
            }
            let outcomes = Outcomes::of(step);
            let ways = outcomes.ways.len();
            nodes.push(Node {
                parent,
                delay: delay.cast_signed(),
                outcomes,
                needed: None,
                latest: i64::MIN,
                after_failed: Least::default(),
                after_completed: Least::default(),
                after_way: vec![Least::default(); ways],
                leads_by_failing: false,
            });
        }
        let mut next = 0;
        while let Some(&place) = order.get(next) {
            order.extend(&children[place]);
            next += 1;
        }
        let resolution = file.resolution.get_ref();
        let mut tree = Self { file, nodes, order, end: 0 };
        tree.end = match (&resolution.at, &resolution.after) {
            (Some(at), _) => at.get_ref().0.cast_signed(),
            (None, Some(after)) => {
                let last = place(after.step.get_ref())?;
                let delay = delay(resolution.delay.as_ref()).0.cast_signed();
                tree.need(last, &after.on).saturating_add(delay)
            }
            (None, None) => return None,
        };
        Some(tree)
    }

    /// Marks what has to happen for this outcome of a step, and returns when the step ends then at the latest. A later end
    /// of the incident leaves all other steps more time, and what follows these steps moves with them.
    fn need(&mut self, last: usize, on: &On) -> i64 {
        let (mut place, mut on, mut path) = (Some(last), on.clone(), 0_i64);
        while let Some(here) = place {
            let node = &mut self.nodes[here];
            path = node.outcomes.longest.saturating_add(node.delay).saturating_add(path);
            let before = self.file.steps[here].after.as_ref().map_or(On::Any, |after| after.on.clone());
            node.needed = Some(std::mem::replace(&mut on, before));
            place = node.parent;
        }
        path
    }

    /// From the last steps to the first: how late each may begin.
    fn look_back(&mut self) {
        for number in (0..self.order.len()).rev() {
            let place = self.order[number];
            let outcomes = self.outcomes(place);
            let latest = outcomes.iter().map(|outcome| self.room(place, *outcome, None)).max();
            self.nodes[place].latest = latest.unwrap_or(i64::MIN);
            let Some(parent) = self.nodes[place].parent else { continue };
            let begin = self.nodes[place].latest.saturating_sub(self.nodes[place].delay);
            let parent = &mut self.nodes[parent];
            match self.file.steps[place].after.as_ref().map(|after| &after.on) {
                None => {}
                Some(On::Any) => {
                    parent.after_failed.add(begin, place);
                    parent.after_completed.add(begin, place);
                }
                Some(On::Failed) => {
                    parent.leads_by_failing = true;
                    parent.after_failed.add(begin, place);
                }
                Some(On::Completed) => parent.after_completed.add(begin, place),
                Some(On::Drawn(name)) => {
                    if let Some(way) = parent.outcomes.way(name) {
                        parent.after_way[way].add(begin, place);
                    }
                }
            }
        }
    }

    /// The outcomes of a step that can be and, if the resolution needs one, are that.
    fn outcomes(&self, place: usize) -> Vec<Outcome> {
        let node = &self.nodes[place];
        let possible = node.outcomes.possible();
        possible
            .filter(|outcome| node.needed.as_ref().is_none_or(|on| node.outcomes.is(*outcome, on)))
            .collect()
    }

    /// The latest start of a step with which it and all that follows this outcome can be over in time; `but` is left out of
    /// what follows.
    fn room(&self, place: usize, outcome: Outcome, but: Option<usize>) -> i64 {
        let node = &self.nodes[place];
        let least = match outcome {
            Outcome::Failed => node.after_failed.but(but),
            Outcome::Completed => node.after_completed.but(but),
            Outcome::Drawn(way) => node.after_completed.but(but).min(node.after_way[way].but(but)),
        };
        least.min(self.end - 1).saturating_sub(self.takes(place, outcome))
    }

    /// How long a step takes with an outcome, at best. What the resolution follows takes as long as it may.
    fn takes(&self, place: usize, outcome: Outcome) -> i64 {
        let node = &self.nodes[place];
        if node.needed.is_some() { node.outcomes.longest } else { node.outcomes.takes(outcome) }
    }

    /// From the first steps to the last: how early each can begin, how likely it is, and which outcomes can't be played.
    fn look_ahead(&self, found: &mut Vec<Diagnostic>) {
        let is_lost = |place: &&usize| {
            let node = &self.nodes[**place];
            node.parent.is_none() && node.delay > node.latest
        };
        if self.order.iter().any(|place| is_lost(&place)) {
            // Then no seed plays anything, which is a mistake and not a warning.
            return;
        }
        let mut earliest: Vec<Option<i64>> = vec![None; self.nodes.len()];
        let mut chances = vec![0.0; self.nodes.len()];
        for &place in &self.order {
            let node = &self.nodes[place];
            let after = self.file.steps[place].after.as_ref();
            let Some((parent, after)) = node.parent.zip(after) else {
                (earliest[place], chances[place]) = (Some(node.delay), 1.0);
                self.judge(place, node.delay, 1.0, found);
                continue;
            };
            let before = &self.nodes[parent];
            chances[place] = chances[parent] * before.outcomes.chance_of(&after.on);
            let Some(begin) = earliest[parent] else { continue };
            let leads =
                self.outcomes(parent).into_iter().filter(|outcome| before.outcomes.is(*outcome, &after.on));
            // What is said of the parent's outcomes is not said again of what follows.
            let mut is_reached = false;
            for outcome in leads {
                is_reached |= begin <= self.room(parent, outcome, None);
                if begin <= self.room(parent, outcome, Some(place)) {
                    let end = begin.saturating_add(self.takes(parent, outcome)).saturating_add(node.delay);
                    earliest[place] = Some(earliest[place].map_or(end, |known: i64| known.min(end)));
                }
            }
            if let Some(begin) = earliest[place].filter(|_| is_reached && chances[place] >= NEGLIGIBLE) {
                self.judge(place, begin, chances[place], found);
            }
            if found.len() >= MOST_DIAGNOSTICS {
                return;
            }
        }
    }

    /// Warns of the outcomes of a step that are not played, although the step is: it begins at `begin` or later.
    fn judge(&self, place: usize, begin: i64, chance: f64, found: &mut Vec<Diagnostic>) {
        let (step, node) = (&self.file.steps[place], &self.nodes[place]);
        let id = shortened(step.id.get_ref());
        for outcome in node.outcomes.possible() {
            let (ends, span) = match outcome {
                Outcome::Failed => ("fails".to_owned(), step.fails.as_ref().map(toml::Spanned::span)),
                Outcome::Completed => ("completes".to_owned(), step.fails.as_ref().map(toml::Spanned::span)),
                Outcome::Drawn(way) => {
                    let draws = step.draws.as_ref().and_then(|draws| draws.get_ref().0.get(way));
                    let name = draws.map_or("", |(name, _)| name.get_ref());
                    (format!("draws {:?}", shortened(name)), draws.map(|(name, _)| name.span()))
                }
            };
            let span = span.unwrap_or_else(|| step.id.span());
            if chance * node.outcomes.chance(outcome) < NEGLIGIBLE {
                // Many retries are there so that a step does not fail in the end.
                let is_meant = outcome != Outcome::Failed || node.leads_by_failing;
                if is_meant {
                    let message = format!("step {id:?} {ends} with fewer than one seed in a million");
                    let help = "give what leads here more chance, or leave it out";
                    found.push(Diagnostic::new(span, message, "practically never").help(help).warning());
                }
            } else if node.needed.as_ref().is_some_and(|on| !node.outcomes.is(outcome, on)) {
                let message = format!("if step {id:?} {ends}, the incident never ends: no seed plays that");
                let help = "let the resolution follow a step that every branch reaches, or give it `at`";
                found.push(Diagnostic::new(span, message, "never played").help(help).warning());
            } else if begin > self.room(place, outcome, None) {
                let late = shortened(self.file.steps[self.late(place, outcome)].id.get_ref());
                let message = format!(
                    "if step {id:?} {ends}, step {late:?} is not over before the incident ends: no seed plays that"
                );
                let help = "make the steps of this branch earlier or shorter, or the resolution later";
                found.push(Diagnostic::new(span, message, "never played").help(help).warning());
            }
        }
    }

    /// The step that is over last if this outcome is taken.
    fn late(&self, place: usize, outcome: Outcome) -> usize {
        let (mut place, mut outcome) = (place, outcome);
        loop {
            let node = &self.nodes[place];
            let least = match outcome {
                Outcome::Failed => node.after_failed.least(),
                Outcome::Completed => node.after_completed.least(),
                Outcome::Drawn(way) => node.after_completed.least().min(node.after_way[way].least()),
            };
            let Some(next) = least.1.filter(|_| least.0 < self.end - 1) else { return place };
            let best = self.outcomes(next).into_iter().max_by_key(|outcome| self.room(next, *outcome, None));
            let Some(best) = best else { return next };
            (place, outcome) = (next, best);
        }
    }
}
