//! Milestones: an incident reaches each once, and none before an earlier one.
//!
//! Steps of branches that exclude each other may name the same milestone, and so may steps that only chance makes complete in
//! the same run: the first counts. What is told is what is wrong in every run that has the later step.

use std::collections::HashMap;
use std::ops::Range;

use crate::contract::Mark;
use crate::scenario::diagnostic::{Diagnostic, MOST_DIAGNOSTICS};
use crate::scenario::file::{On, ScenarioFile, Step};
use crate::scenario::suggest::shortened;

/// The most steps that are looked at along the ways from steps with milestones to the start.
const MOST_LOOKS: usize = 2_000_000;

const ORDER: &str = "milestones come once each and in this order: detected, diagnosed, mitigated";

pub(super) fn milestones(file: &ScenarioFile, found: &mut Vec<Diagnostic>) {
    let begin = found.len();
    for step in &file.steps {
        within(step, found);
    }
    if found.len() > begin {
        return;
    }
    let places =
        file.steps.iter().zip(0..).map(|(step, place)| (step.id.get_ref().as_str(), place)).collect();
    let mut course = Course { file, places, looks: 0 };
    let marked = file.steps.iter().enumerate().filter(|(_, step)| !step.marks().is_empty());
    let mut ways: Vec<Way> = Vec::new();
    for (place, _) in marked {
        let Some(way) = course.way(place) else { continue };
        if let Some(mistake) = ways.iter().find_map(|before| course.mistake(before, &way)) {
            found.push(mistake);
        }
        ways.push(way);
        if found.len() - begin >= MOST_DIAGNOSTICS || course.looks > MOST_LOOKS {
            return;
        }
    }
}

/// The milestones of one step.
fn within(step: &Step, found: &mut Vec<Diagnostic>) {
    for pair in step.marks().windows(2) {
        let message = match pair {
            [first, second] if first == second => format!("the step marks `{}` twice", first.as_str()),
            [first, second] if first > second => {
                format!("the step marks `{}` before `{}`", first.as_str(), second.as_str())
            }
            _ => continue,
        };
        found.push(Diagnostic::new(place(step), message, "these milestones").help(ORDER));
        return;
    }
}

fn place(step: &Step) -> Range<usize> {
    step.marks.as_ref().map_or(step.id.span(), toml::Spanned::span)
}

/// The steps from one to the start that it goes back to, each with the outcome that leads on.
struct Way {
    steps: Vec<(usize, On)>,
    /// When the last of them completes, at the earliest and at the latest.
    earliest: u64,
    latest: u64,
}

struct Course<'a> {
    file: &'a ScenarioFile,
    places: HashMap<&'a str, usize>,
    looks: usize,
}

impl Course<'_> {
    /// `None` if the step never completes, or if its way leads nowhere.
    fn way(&mut self, place: usize) -> Option<Way> {
        let mut way = Way { steps: Vec::new(), earliest: 0, latest: 0 };
        let (mut here, mut on) = (place, On::Completed);
        loop {
            self.looks += 1;
            let step = &self.file.steps[here];
            if fails(step) >= 1.0 && on != On::Failed && on != On::Any
                || way.steps.len() > self.file.steps.len()
            {
                return None;
            }
            let (once, longest) = durations(step);
            let delay = step.delay.as_ref().map_or(0, |delay| delay.get_ref().0);
            way.steps.push((here, on));
            let start = match (&step.at, &step.after) {
                (Some(at), _) => at.get_ref().0,
                (None, Some(_)) => delay,
                (None, None) => return None,
            };
            way.earliest = way.earliest.saturating_add(start).saturating_add(once);
            way.latest = way.latest.saturating_add(start).saturating_add(longest);
            let Some(after) = step.after.as_ref().filter(|_| step.at.is_none()) else { return Some(way) };
            here = *self.places.get(after.step.get_ref().as_str())?;
            on = after.on.clone();
        }
    }

    /// Whether every run in which the step at the end of `given` completes is one in which that of `way` completes.
    fn follows(&mut self, way: &Way, given: &Way) -> bool {
        for (step, on) in &way.steps {
            self.looks += given.steps.len();
            if let Some((_, other)) = given.steps.iter().find(|(other, _)| other == step) {
                let implied = match (on, other) {
                    (On::Any, _) | (On::Completed, On::Drawn(_)) => true,
                    (on, other) => on == other,
                };
                // The steps before it are the same.
                return implied || self.is_certain(*step, on) && *other == On::Any;
            }
            if !self.is_certain(*step, on) {
                return false;
            }
        }
        true
    }

    fn is_certain(&self, step: usize, on: &On) -> bool {
        let step = &self.file.steps[step];
        match on {
            On::Any => true,
            On::Completed => fails(step) <= 0.0,
            On::Failed => fails(step) >= 1.0,
            On::Drawn(way) => fails(step) <= 0.0 && step.chance(way) >= 1.0,
        }
    }

    /// What is wrong with two steps, of which `second` is later in the file.
    fn mistake(&mut self, first: &Way, second: &Way) -> Option<Diagnostic> {
        let steps = &self.file.steps;
        let (a, b) = (&steps[first.steps.first()?.0], &steps[second.steps.first()?.0]);
        let twice = a.marks().iter().find(|mark| b.marks().contains(mark)).copied();
        let leads = |before: &Way, after: &Way| {
            after.steps.iter().any(|(step, _)| Some(*step) == before.steps.first().map(|(first, _)| *first))
                || before.latest < after.earliest
        };
        let highest = |step: &Step| step.marks().iter().max().copied();
        let lowest = |step: &Step| step.marks().iter().min().copied();
        let wrong: Option<(&Step, Mark, &Step, Mark)> = if leads(first, second) && highest(a) > lowest(b) {
            Some((a, highest(a)?, b, lowest(b)?))
        } else if leads(second, first) && highest(b) > lowest(a) {
            Some((b, highest(b)?, a, lowest(a)?))
        } else {
            None
        };
        // The later one is wrong if it never happens without the earlier one.
        let is_always = if leads(first, second) {
            self.follows(first, second)
        } else if leads(second, first) {
            self.follows(second, first)
        } else {
            self.follows(first, second) && self.follows(second, first)
        };
        if twice.is_none() && wrong.is_none() || !is_always {
            return None;
        }
        let id = |step: &Step| shortened(step.id.get_ref());
        if let Some(mark) = twice {
            let message = format!("the steps {:?} and {:?} both mark `{}`", id(a), id(b), mark.as_str());
            let help = "a milestone is reached once: let one of the two steps mark it";
            return Some(Diagnostic::new(place(b), message, "marked again").help(help));
        }
        let (before, reached, after, late) = wrong?;
        let message = format!(
            "step {:?} marks `{}` after step {:?} has marked `{}`",
            id(after),
            late.as_str(),
            id(before),
            reached.as_str()
        );
        Some(Diagnostic::new(place(after), message, "too late").help(ORDER))
    }
}

fn fails(step: &Step) -> f64 {
    step.fails.as_ref().map_or(0.0, |fails| *fails.get_ref())
}

/// How long a step takes if its first attempt is the last, and if all are needed.
fn durations(step: &Step) -> (u64, u64) {
    let once = step.takes.map_or(0, |takes| takes.0);
    let retry = step.retry.as_ref().map(|retry| *retry.get_ref()).filter(|_| fails(step) > 0.0);
    let (more, backoff) = retry.map_or((0, 0), |retry| (u64::from(retry.times), retry.backoff.0));
    (once, once.saturating_add(once.saturating_add(backoff).saturating_mul(more)))
}
