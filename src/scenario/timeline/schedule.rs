//! The schedule of the steps: when each step begins and ends, how often it fails, and which steps follow.

use std::collections::HashMap;

use super::dice::Dice;
use super::error::CompileError;
use super::measures::round_to_millis;
use crate::contract::Status;
use crate::scenario::duration::Micros;
use crate::scenario::file::{Edge, On, ScenarioFile, Step};

/// The beginning or the end of an attempt at a step, before jitter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StepEvent {
    /// A number that is unique among all step events. Effects refer to their cause by it.
    pub(super) id: usize,
    /// Number of the step in the file, from 0.
    pub(super) step: usize,
    pub(super) at: Micros,
    pub(super) status: Status,
    /// Number of the attempt, from 1.
    pub(super) attempt: u32,
    /// The id of the step event that caused this one.
    pub(super) cause: Option<usize>,
    /// Number of the way to complete that was drawn, from 0.
    pub(super) way: Option<usize>,
}

/// All step events, ordered so that causes precede effects, and the end of the incident.
pub(super) struct Schedule {
    pub(super) events: Vec<StepEvent>,
    pub(super) end: Micros,
}

/// The most step events: enough for a beginning and an end of as many steps as a file may have.
const MOST_EVENTS: usize = 20_000;

/// What is known about a step.
#[derive(Clone, Copy)]
enum StepState {
    /// It has not been scheduled yet.
    Unscheduled,
    /// It does not happen, because its branch is not taken.
    Never,
    /// It has ended.
    Ended(StepEnd),
}

/// How a step ended.
#[derive(Clone, Copy)]
struct StepEnd {
    at: Micros,
    status: Status,
    /// The id of its last step event.
    event: usize,
    /// Number of the way to complete that was drawn, from 0.
    way: Option<usize>,
}

struct Scheduler<'a> {
    file: &'a ScenarioFile,
    seed: u64,
    number_of: HashMap<&'a str, usize>,
    /// The states of the steps, by their numbers.
    states: Vec<StepState>,
    events: Vec<StepEvent>,
}

/// Schedules all steps of a file without mistakes.
pub(super) fn schedule(file: &ScenarioFile, seed: u64) -> Result<Schedule, CompileError> {
    let ids = file.steps.iter().enumerate();
    let mut scheduler = Scheduler {
        file,
        seed,
        number_of: ids.map(|(place, step)| (step.id.get_ref().as_str(), place)).collect(),
        states: vec![StepState::Unscheduled; file.steps.len()],
        events: Vec::new(),
    };
    for place in 0..file.steps.len() {
        scheduler.schedule_with_parents(place)?;
    }
    let resolution = file.resolution.get_ref();
    let fail = |span, message, help: &str| CompileError::new(message, seed, span, help);
    let end = match (&resolution.at, &resolution.after) {
        (Some(at), _) => *at.get_ref(),
        (None, Some(after)) => match scheduler.parent_of(after) {
            Some(parent) => parent.at + delay(resolution.delay.as_ref()),
            None => {
                let step = after.step.get_ref();
                let message = format!(
                    "the incident never ends, because step {step:?} does not end as `after` requires"
                );
                return Err(fail(
                    after.step.span(),
                    message,
                    "let the resolution follow a step that every branch reaches",
                ));
            }
        },
        (None, None) => Micros::default(),
    };
    if end > Micros::LONGEST {
        let span = resolution.after.as_ref().map_or(file.resolution.span(), |after| after.step.span());
        let message = format!("the incident ends after {end}, which is more than a year");
        return Err(fail(span, message, "make the steps that lead here shorter, or retry less often"));
    }
    // Times on the wire are rounded to milliseconds. Round the end too, so that no step comes after it.
    let end = round_to_millis(end);
    if let Some(last) = file.phases.last().filter(|last| end <= *last.at.get_ref()) {
        let message = format!("the resolution at {end} is not after the start of the last phase");
        return Err(fail(last.at.span(), message, "start the phase earlier or delay the resolution"));
    }
    if let Some(late) = scheduler.events.iter().find(|event| event.at >= end) {
        let step = &file.steps[late.step];
        if late.at == end && resolution.after.is_some() {
            let message =
                format!("step {:?} and the incident end at the same moment, {end}", step.id.get_ref());
            let span = resolution.after.as_ref().map_or(step.id.span(), |after| after.step.span());
            return Err(fail(
                span,
                message,
                "the end comes after every step: give the resolution a `delay`, as in delay = \"1s\"",
            ));
        }
        let message = format!(
            "step {:?} is still in progress at {}, but the incident ends at {end}",
            step.id.get_ref(),
            late.at
        );
        return Err(fail(
            step.id.span(),
            message,
            "make the step earlier or shorter, or the resolution later",
        ));
    }
    for place in 0..file.steps.len() {
        scheduler.repeat(place, end)?;
    }
    let mut events = scheduler.events;
    events.sort_by_key(|event| event.at);
    Ok(Schedule { events, end })
}

impl Scheduler<'_> {
    /// Schedules a step, and before it the steps that it follows. The file may have them in any order, in chains of
    /// thousands, so this is a loop and not a recursion. It ends because a file without mistakes has no cycles.
    fn schedule_with_parents(&mut self, place: usize) -> Result<(), CompileError> {
        let mut waiting = Vec::new();
        let mut next = Some(place);
        while let Some(place) = next.filter(|place| matches!(self.states[*place], StepState::Unscheduled)) {
            waiting.push(place);
            next = self.file.steps[place].after.as_ref().and_then(|after| self.number(after));
        }
        for place in waiting.into_iter().rev() {
            self.schedule_step(place);
            self.check_number(place)?;
        }
        Ok(())
    }

    /// Schedules a step whose parent is scheduled.
    fn schedule_step(&mut self, place: usize) {
        let step = &self.file.steps[place];
        let start = match (&step.at, &step.after) {
            (Some(at), _) => Some((*at.get_ref(), None)),
            (None, Some(after)) => self
                .parent_of(after)
                .map(|parent| (parent.at + delay(step.delay.as_ref()), Some(parent.event))),
            (None, None) => None,
        };
        let ended = start.map(|(at, cause)| self.attempts(place, step, at, cause));
        self.states[place] = ended.map_or(StepState::Never, StepState::Ended);
    }

    /// The number of the step that `after` names.
    fn number(&self, after: &Edge) -> Option<usize> {
        self.number_of.get(after.step.get_ref().as_str()).copied()
    }

    /// The end of the step that `after` names, if the step ends as `after` requires.
    fn parent_of(&self, after: &Edge) -> Option<StepEnd> {
        let StepState::Ended(ended) = self.states[self.number(after)?] else { return None };
        let matches = match &after.on {
            On::Any => true,
            On::Completed => ended.status == Status::Completed,
            On::Failed => ended.status == Status::Failed,
            On::Drawn(name) => {
                let step = self.number(after).and_then(|place| self.file.steps.get(place));
                ended.way.and_then(|way| step?.ways().nth(way)) == Some(name)
            }
        };
        matches.then_some(ended)
    }

    /// Schedules all attempts at a step. Returns the end of the last one.
    fn attempts(&mut self, place: usize, step: &Step, start: Micros, cause: Option<usize>) -> StepEnd {
        let fails = step.fails.as_ref().map_or(0.0, |fails| *fails.get_ref());
        let more = step.retry.as_ref().map_or(0, |retry| retry.get_ref().times);
        let backoff = step.retry.as_ref().map_or(Micros(0), |retry| retry.get_ref().backoff);
        let mut dice = (fails > 0.0).then(|| Dice::new(self.seed, &format!("fails:{}", step.id.get_ref())));
        let (mut at, mut cause, mut attempt) = (start, cause, 1);
        loop {
            let failed = dice.as_mut().is_some_and(|dice| dice.uniform() < fails);
            if let Some(takes) = step.takes {
                self.push(StepEvent {
                    id: 0,
                    step: place,
                    at,
                    status: Status::InProgress,
                    attempt,
                    cause,
                    way: None,
                });
                at = at + takes;
                cause = None;
            }
            let status = if failed { Status::Failed } else { Status::Completed };
            let way = (!failed).then(|| draw(step, self.seed)).flatten();
            let event = self.push(StepEvent { id: 0, step: place, at, status, attempt, cause, way });
            if !failed || attempt > more {
                return StepEnd { at, status, event, way };
            }
            at = at + backoff;
            cause = Some(event);
            attempt += 1;
        }
    }

    /// Adds a step event, which gets the next id.
    fn push(&mut self, mut event: StepEvent) -> usize {
        let id = self.events.len();
        event.id = id;
        self.events.push(event);
        id
    }

    /// Schedules the repetitions of a step whose first time is scheduled. What follows the step follows its first time.
    fn repeat(&mut self, place: usize, end: Micros) -> Result<(), CompileError> {
        let step = &self.file.steps[place];
        let (Some(repeat), StepState::Ended(first)) = (&step.repeat, self.states[place]) else {
            return Ok(());
        };
        let repeat = repeat.get_ref();
        let until = repeat.until.as_ref().and_then(|until| {
            match self.states[*self.number_of.get(until.get_ref().as_str())?] {
                StepState::Ended(until) => Some(until.at),
                StepState::Unscheduled | StepState::Never => None,
            }
        });
        let takes = step.takes.unwrap_or(Micros(0));
        let mut begin = Micros(first.at.0.saturating_sub(takes.0));
        for attempt in 2..=repeat.times.map_or(u32::MAX, |times| times.saturating_add(1)) {
            begin = begin + repeat.every;
            if begin + takes >= end || until.is_some_and(|until| begin >= until) {
                break;
            }
            // The clock is what repeats a step, so it has no cause.
            let event =
                |at, status| StepEvent { id: 0, step: place, at, status, attempt, cause: None, way: None };
            if step.takes.is_some() {
                self.push(event(begin, Status::InProgress));
            }
            self.push(event(begin + takes, Status::Completed));
            self.check_number(place)?;
        }
        Ok(())
    }

    /// Refuses a file whose steps have too many events.
    fn check_number(&self, place: usize) -> Result<(), CompileError> {
        if self.events.len() <= MOST_EVENTS {
            return Ok(());
        }
        let id = &self.file.steps[place].id;
        let message = format!("the steps up to {:?} have more than {MOST_EVENTS} events", id.get_ref());
        let help = "repeat or retry less often, or leave steps out".to_owned();
        Err(CompileError::new(message, self.seed, id.span(), &help))
    }
}

/// Draws a way to complete.
fn draw(step: &Step, seed: u64) -> Option<usize> {
    let ways = &step.draws.as_ref()?.get_ref().0;
    let roll = Dice::new(seed, &format!("draws:{}", step.id.get_ref())).uniform();
    let mut up_to = 0.0;
    let drawn = ways.iter().position(|(_, chance)| {
        up_to += chance;
        roll < up_to
    });
    // The sum may be a little below 1: then it is the last that can be drawn.
    drawn.or_else(|| ways.iter().rposition(|(_, chance)| *chance > 0.0))
}

/// No delay is one of 0 s.
pub(super) fn delay(delay: Option<&toml::Spanned<Micros>>) -> Micros {
    delay.map_or(Micros(0), |delay| *delay.get_ref())
}
