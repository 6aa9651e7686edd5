//! When each step happens and how it ends: edges followed, failures drawn, attempts repeated.

use std::collections::HashMap;

use super::dice::Dice;
use super::error::CompileError;
use super::measures::round_to_millis;
use crate::contract::Status;
use crate::scenario::duration::Micros;
use crate::scenario::file::{Edge, On, ScenarioFile, Step};

/// One event of a step, before jitter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Occurrence {
    /// Its place among all occurrences: the name by which a cause is found.
    pub(super) id: usize,
    /// Place of the step in the file.
    pub(super) step: usize,
    pub(super) at: Micros,
    pub(super) status: Status,
    /// From 1.
    pub(super) attempt: u32,
    /// The occurrence that led to this one.
    pub(super) cause: Option<usize>,
}

/// All occurrences, in an order in which causes precede effects, and the end of the incident.
pub(super) struct Course {
    pub(super) occurrences: Vec<Occurrence>,
    pub(super) end: Micros,
}

/// Room for as many steps as a file may have, each begun and ended.
const MOST_OCCURRENCES: usize = 20_000;

/// What is known of a step.
#[derive(Clone, Copy)]
enum Visit {
    NotYet,
    /// Its branch is not taken: it does not happen.
    Never,
    Ended(Ended),
}

/// How a step ended: its last occurrence.
#[derive(Clone, Copy)]
struct Ended {
    at: Micros,
    status: Status,
    occurrence: usize,
}

struct Planner<'a> {
    file: &'a ScenarioFile,
    seed: u64,
    place_of: HashMap<&'a str, usize>,
    /// By step.
    visits: Vec<Visit>,
    occurrences: Vec<Occurrence>,
}

/// Follows every step of a sound file.
pub(super) fn course(file: &ScenarioFile, seed: u64) -> Result<Course, CompileError> {
    let ids = file.steps.iter().enumerate();
    let mut planner = Planner {
        file,
        seed,
        place_of: ids.map(|(place, step)| (step.id.get_ref().as_str(), place)).collect(),
        visits: vec![Visit::NotYet; file.steps.len()],
        occurrences: Vec::new(),
    };
    for place in 0..file.steps.len() {
        planner.visit(place)?;
    }
    let resolution = &file.resolution;
    let fail = |span, message, help: &str| CompileError { message, seed, span, help: help.to_owned() };
    let end = match (&resolution.at, &resolution.after) {
        (Some(at), _) => *at.get_ref(),
        (None, Some(after)) => match planner.reached(after) {
            Some(parent) => parent.at + delay(resolution.delay.as_ref()),
            None => {
                let step = after.step.get_ref();
                let message = format!("the incident never ends: step {step:?} does not happen so");
                return Err(fail(
                    after.step.span(),
                    message,
                    "hang the resolution on a step of every branch",
                ));
            }
        },
        (None, None) => Micros::default(),
    };
    if end > Micros::LONGEST {
        let span = resolution.after.as_ref().map_or(file.id.span(), |after| after.step.span());
        let message = format!("the incident ends after {end}, more than a year");
        return Err(fail(span, message, "make the steps that lead here shorter, or retry less often"));
    }
    // The wire tells milliseconds: a rounded step must not come after the end.
    let end = round_to_millis(end);
    if let Some(last) = file.phases.last().filter(|last| end <= *last.at.get_ref()) {
        let message = format!("the resolution at {end} is not after the start of the last phase");
        return Err(fail(last.at.span(), message, "start the phase earlier or delay the resolution"));
    }
    if let Some(late) = planner.occurrences.iter().find(|occurrence| occurrence.at >= end) {
        let step = &file.steps[late.step];
        let message =
            format!("step {:?} is still busy at {}, the incident ends at {end}", step.id.get_ref(), late.at);
        return Err(fail(
            step.id.span(),
            message,
            "make the step earlier or shorter, or the resolution later",
        ));
    }
    let mut occurrences = planner.occurrences;
    occurrences.sort_by_key(|occurrence| occurrence.at);
    Ok(Course { occurrences, end })
}

impl Planner<'_> {
    /// Follows a step and all that it waits for. Steps may be written in any order, thousands deep: up to the
    /// first that is known, then back down. This ends: a sound file has no rings.
    fn visit(&mut self, place: usize) -> Result<(), CompileError> {
        let mut waiting = Vec::new();
        let mut next = Some(place);
        while let Some(place) = next.filter(|place| matches!(self.visits[*place], Visit::NotYet)) {
            waiting.push(place);
            next = self.file.steps[place].after.as_ref().and_then(|after| self.place(after));
        }
        for place in waiting.into_iter().rev() {
            self.follow(place);
            let step = &self.file.steps[place];
            if self.occurrences.len() > MOST_OCCURRENCES {
                let id = step.id.get_ref();
                let message = format!("with step {id:?} the agents do more than {MOST_OCCURRENCES} things");
                let help = "retry less often, or leave steps out".to_owned();
                return Err(CompileError { message, seed: self.seed, span: step.id.span(), help });
            }
        }
        Ok(())
    }

    /// Follows a step whose parent is known.
    fn follow(&mut self, place: usize) {
        let step = &self.file.steps[place];
        let start = match (&step.at, &step.after) {
            (Some(at), _) => Some((*at.get_ref(), None)),
            (None, Some(after)) => self
                .reached(after)
                .map(|parent| (parent.at + delay(step.delay.as_ref()), Some(parent.occurrence))),
            (None, None) => None,
        };
        let ended = start.map(|(at, cause)| self.attempts(place, step, at, cause));
        self.visits[place] = ended.map_or(Visit::Never, Visit::Ended);
    }

    fn place(&self, after: &Edge) -> Option<usize> {
        self.place_of.get(after.step.get_ref().as_str()).copied()
    }

    /// The end of the step that an edge hangs on, if it ends as the edge wants.
    fn reached(&self, after: &Edge) -> Option<Ended> {
        let Visit::Ended(ended) = self.visits[self.place(after)?] else { return None };
        let leads_on = match after.on {
            On::Any => true,
            On::Completed => ended.status == Status::Completed,
            On::Failed => ended.status == Status::Failed,
        };
        leads_on.then_some(ended)
    }

    fn attempts(&mut self, place: usize, step: &Step, start: Micros, cause: Option<usize>) -> Ended {
        let fails = step.fails.as_ref().map_or(0.0, |fails| *fails.get_ref());
        let more = step.retry.as_ref().map_or(0, |retry| retry.get_ref().times);
        let backoff = step.retry.as_ref().map_or(Micros(0), |retry| retry.get_ref().backoff);
        let mut dice = Dice::new(self.seed, &format!("fails:{}", step.id.get_ref()));
        let (mut at, mut cause, mut attempt) = (start, cause, 1);
        loop {
            let failed = dice.uniform() < fails;
            if let Some(takes) = step.takes {
                self.push(place, at, Status::InProgress, attempt, cause);
                at = at + takes;
                cause = None;
            }
            let status = if failed { Status::Failed } else { Status::Completed };
            let occurrence = self.push(place, at, status, attempt, cause);
            if !failed || attempt > more {
                return Ended { at, status, occurrence };
            }
            at = at + backoff;
            cause = Some(occurrence);
            attempt += 1;
        }
    }

    fn push(&mut self, step: usize, at: Micros, status: Status, attempt: u32, cause: Option<usize>) -> usize {
        let id = self.occurrences.len();
        self.occurrences.push(Occurrence { id, step, at, status, attempt, cause });
        id
    }
}

fn delay(delay: Option<&toml::Spanned<Micros>>) -> Micros {
    delay.map_or(Micros(0), |delay| *delay.get_ref())
}
