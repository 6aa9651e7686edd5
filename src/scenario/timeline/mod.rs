//! Compiling a scenario and a seed to ordered events. Pure: no clock, no I/O. The same file and the same seed
//! give the same timeline on every machine.

mod actions;
mod dice;
mod jitter;
mod measures;
mod occurrences;
mod screen;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::file::ScenarioFile;
use super::{Diagnostic, Micros};
use crate::contract::{
    Actions, AgentInfo, Cost, Durations, IncidentResolved, IncidentStarted, MAX_EVENT_BYTES, Message,
    MetricInfo, Outcome, Phase, Run,
};

use measures::{Measures, round_to_millis};
use screen::Screen;

/// What is played: events in order, with the screen time at which each is due. It is self-contained: stored
/// beside the log, it decides what a running incident does whatever becomes of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// The scenario's id.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The events; `index` is their place, from 1. The first is `incident_started`, whose `speed` and
    /// `impact_started_at` the player fills in; the last is `incident_resolved`.
    pub events: Vec<Planned>,
}

/// One event and when it is due.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// Screen time at speed 1, from the start.
    pub due: u64,
    /// What is said.
    pub message: Message,
}

/// Why a sound file has no timeline with this seed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (with seed {seed})")]
pub struct CompileError {
    message: String,
    seed: u64,
    span: std::ops::Range<usize>,
    help: String,
}

impl CompileError {
    pub(super) fn diagnostic(self) -> Diagnostic {
        Diagnostic::new(self.span, format!("{} (with seed {})", self.message, self.seed), "here")
            .help(self.help)
    }
}

impl Timeline {
    /// How long it takes on screen at speed 1.
    pub fn duration(&self) -> Micros {
        Micros(self.events.last().map_or(0, |last| last.due))
    }

    /// What ends the incident when it is cancelled after its first `emitted` events, `screen_us` into it.
    pub fn cancelled(&self, emitted: usize, screen_us: u64) -> Message {
        let events = &self.events[..emitted.min(self.events.len())];
        let phases = match self.events.first().map(|event| &event.message) {
            Some(Message::IncidentStarted(started)) => started.phases.as_slice(),
            _ => &[],
        };
        let last = events.last().and_then(|event| event.message.offset_s()).unwrap_or_default();
        let offset_s = round_to_millis(Screen::of_phases(phases).incident(screen_us)).secs().max(last);
        let samples = events.iter().filter_map(|event| match &event.message {
            Message::SystemMetrics(sample) => Some(sample),
            _ => None,
        });
        let cost = samples.clone().next_back().and_then(|sample| {
            let cost = sample.cost.as_ref()?;
            let total = cost.total + self.spent(phases, sample.offset_s, offset_s);
            Some(Cost {
                currency: cost.currency.clone(),
                total: (total * 100.0).round() / 100.0,
                per_minute: 0.0,
            })
        });
        let (actions, mut durations) = tally(events.iter().map(|event| &event.message));
        durations.resolve_s = offset_s;
        Message::IncidentResolved(IncidentResolved {
            index: events.len() as u64 + 1,
            offset_s,
            synthetic: true,
            outcome: Outcome::Cancelled,
            summary: "Cancelled before it was resolved".to_owned(),
            root_cause: None,
            durations,
            cost,
            users_peak: samples.filter_map(|sample| sample.users_affected).max(),
            actions,
            followups: Vec::new(),
        })
    }

    /// What it costs between two moments. The plan knows the rate of every phase that has a sample.
    fn spent(&self, phases: &[Phase], from_s: f64, to_s: f64) -> f64 {
        let rate_of = |phase: &str| {
            let of_phase = self.events.iter().find_map(|event| match &event.message {
                Message::SystemMetrics(sample) if sample.phase == phase => sample.cost.as_ref(),
                _ => None,
            });
            of_phase.map_or(0.0, |cost| cost.per_minute)
        };
        let parts = phases.iter().map(|phase| {
            let seconds = (phase.end_s.min(to_s) - phase.start_s.max(from_s)).max(0.0);
            seconds / 60.0 * rate_of(&phase.name)
        });
        parts.sum()
    }
}

/// Compiles a sound file.
pub(super) fn compile(file: &ScenarioFile, digest: &str, seed: u64) -> Result<Timeline, CompileError> {
    let plan = occurrences::plan(file, seed)?;
    let screen = Screen::new(file, plan.end);
    measures::check_length(file, &screen, seed)?;
    let measures = Measures::new(file, &screen, seed);
    let actions = actions::actions(file, &plan, seed);

    let mut events: Vec<(u64, Draft)> = Vec::new();
    events.push((0, Draft::Done(Box::new(Message::IncidentStarted(started(file, &screen, digest, seed))))));
    let samples =
        measures.samples().map(|(due, sample)| (due, Draft::Done(Box::new(Message::SystemMetrics(sample)))));
    events.extend(samples);
    let drafts = actions.into_iter().map(|action| (screen.of(action.at), Draft::Action(Box::new(action))));
    events.extend(drafts);
    // Stable: at one moment the start comes first, then what is measured, then what is done.
    events.sort_by_key(|(due, _)| *due);

    let mut index_of = std::collections::HashMap::new();
    let mut planned = Vec::with_capacity(events.len() + 1);
    for (place, (due, draft)) in events.into_iter().enumerate() {
        let index = place as u64 + 1;
        let message = match draft {
            Draft::Done(mut message) => {
                if let Message::SystemMetrics(sample) = message.as_mut() {
                    sample.index = index;
                }
                *message
            }
            Draft::Action(mut action) => {
                index_of.insert(action.occurrence, index);
                action.message.index = index;
                screen.phase(action.at).clone_into(&mut action.message.phase);
                action.message.caused_by = action.cause.and_then(|cause| index_of.get(&cause).copied());
                Message::AgentAction(action.message)
            }
        };
        planned.push(Planned { due, message });
    }
    let (actions, mut durations) = tally(planned.iter().map(|event| &event.message));
    durations.resolve_s = plan.end.secs();
    let resolution = &file.resolution;
    let resolved = IncidentResolved {
        index: planned.len() as u64 + 1,
        offset_s: plan.end.secs(),
        synthetic: true,
        outcome: Outcome::Resolved,
        summary: resolution.summary.clone(),
        root_cause: resolution.root_cause.as_ref().map(|cause| cause.get_ref().clone()),
        durations,
        cost: measures.cost(plan.end).map(|cost| Cost { per_minute: 0.0, ..cost }),
        users_peak: measures.users_peak(plan.end),
        actions,
        followups: resolution.followups.clone(),
    };
    planned.push(Planned { due: screen.of(plan.end), message: Message::IncidentResolved(resolved) });
    // What no journal would take must not begin: the incident would stay open for ever.
    let large = planned.iter().find(|event| event.message.data().get().len() > MAX_EVENT_BYTES - 1024);
    if let Some(large) = large {
        let bytes = large.message.data().get().len();
        let message = format!("event {} has {bytes} bytes", large.message.index().unwrap_or_default());
        let help =
            format!("an event has at most {MAX_EVENT_BYTES} bytes with its envelope: shorten its texts");
        return Err(CompileError { message, seed, span: file.id.span(), help });
    }
    Ok(Timeline { scenario: file.id.get_ref().clone(), seed, events: planned })
}

/// An event before its index is known.
enum Draft {
    Done(Box<Message>),
    Action(Box<actions::Action>),
}

fn started(file: &ScenarioFile, screen: &Screen, digest: &str, seed: u64) -> IncidentStarted {
    let agents = file.agents.0.iter();
    let metrics = file.metrics.0.iter();
    IncidentStarted {
        index: 1,
        offset_s: 0.0,
        synthetic: true,
        title: file.title.clone(),
        severity: file.severity,
        services: file.services.clone(),
        phases: screen.phases().collect::<Vec<Phase>>(),
        agents: agents.map(|(id, role)| AgentInfo { id: id.get_ref().clone(), role: role.clone() }).collect(),
        metrics: metrics
            .map(|(name, metric)| MetricInfo { name: name.get_ref().clone(), unit: metric.unit.clone() })
            .collect(),
        target_s: file.target.secs(),
        impact_started_at: Timestamp::UNIX_EPOCH,
        speed: 1.0,
        run: Some(Run { scenario: file.id.get_ref().clone(), digest: digest.to_owned(), seed }),
    }
}

/// Counts finished attempts and reads the milestones off them.
fn tally<'a>(messages: impl Iterator<Item = &'a Message>) -> (Actions, Durations) {
    let mut actions = Actions::default();
    let mut durations = Durations::default();
    for message in messages {
        let Message::AgentAction(action) = message else { continue };
        actions.count(action.status);
        for mark in &action.marks {
            durations.reach(*mark, action.offset_s);
        }
    }
    (actions, durations)
}
