//! Compiling a scenario and a seed to the plan of an incident.

use std::collections::HashMap;
use std::ops::Range;

use jiff::Timestamp;

use crate::contract::{
    Actions, AgentInfo, Cost, Durations, IncidentResolved, IncidentStarted, Message, MetricInfo, MetricPart,
    Outcome, Phase, Run, SystemMetrics,
};
use crate::plan::Plan;
use crate::scenario::file::ScenarioFile;
use crate::scenario::settings::Settings;
use crate::scenario::symptoms;

use super::budget::Budget;
use super::error::CompileError;
use super::measures::Measures;
use super::screen::Screen;
use super::{actions, measures, schedule};

/// What makes an event of each kind smaller.
const SHORTER_START: &str = "shorten the title and the names, or leave out phases, agents or metrics";
const SHORTER_STEP: &str = "shorten the texts of the step and of the hypotheses";
const SHORTER_SAMPLE: &str = "shorten the names of metrics, or leave some out";
const SHORTER_END: &str = "shorten the texts of the resolution";

/// What a file and a seed give.
pub(in crate::scenario) struct Compiled {
    pub(in crate::scenario) plan: Plan,
    /// The numbers of the phases, from 0, in which no step begins or ends.
    pub(in crate::scenario) empty_phases: Vec<usize>,
}

/// Compiles a file without mistakes. The first event is `incident_started`, whose `speed` and `impact_started_at` the
/// player sets; the last one is `incident_resolved`.
///
/// The work grows with (samples + steps) times what the file declares, and each event is written as soon as it is made.
pub(in crate::scenario) fn compile(
    file: &ScenarioFile,
    digest: &str,
    seed: u64,
    settings: &Settings,
) -> Result<Compiled, CompileError> {
    let schedule = schedule::schedule(file, seed)?;
    let screen = Screen::new(file, schedule.end);
    measures::check_length(file, &screen, seed)?;
    let mut writer = PlanWriter {
        budget: Budget::of(file, &screen, &schedule, seed)?,
        plan: Plan::new(file.id.get_ref().clone(), seed),
    };
    let of_file = || file.id.span();
    let start = Message::IncidentStarted(started(file, &screen, digest, seed, settings));
    writer.push(0, &start, of_file, SHORTER_START)?;

    let measures = Measures::new(file, &screen, seed);
    let mut samples = measures.samples().peekable();
    let mut actions = actions::actions(file, &schedule, &screen, seed).peekable();
    let of_metrics = || file.metrics.0.first().map_or(file.id.span(), |(name, _)| name.span());
    let mut index_of = HashMap::new();
    let mut is_empty = vec![true; file.phases.len()];
    let (mut counted, mut durations, mut reached) = (Actions::default(), Durations::default(), None);
    // Both are in order. Of events at the same moment, samples come before actions.
    while let Some(due) = next_due(&screen, samples.peek(), actions.peek()) {
        if let Some((due, sample)) = samples.next_if(|(sampled, _)| *sampled == due) {
            writer.push(due, &Message::SystemMetrics(sample), of_metrics, SHORTER_SAMPLE)?;
        } else if let Some(action) = actions.next() {
            let actions::Action { at, step, id, cause, mut message } = action;
            index_of.insert(id, writer.next_index());
            message.phase = Some(screen.phase(at).to_owned());
            is_empty[screen.place(at)] = false;
            message.caused_by = cause.and_then(|cause| index_of.get(&cause).copied());
            counted.count(message.status);
            // Steps of several branches may name the same milestone: it is reached once, and none before an earlier one.
            message.marks.sort_unstable();
            message.marks.retain(|mark| {
                let is_next = reached.is_none_or(|before| before < *mark);
                reached = reached.max(Some(*mark));
                is_next
            });
            for mark in &message.marks {
                durations.reach(*mark, message.offset_s.unwrap_or_default());
            }
            let of_step = || file.steps[step].id.span();
            writer.push(due, &Message::AgentAction(message), of_step, SHORTER_STEP)?;
        }
    }
    durations.resolve_s = schedule.end.secs();
    let resolution = file.resolution.get_ref();
    let resolved = IncidentResolved {
        origin: None,
        observed_at: None,
        offset_s: Some(schedule.end.secs()),
        synthetic: true,
        outcome: Outcome::Resolved,
        summary: resolution.summary.clone(),
        root_cause: resolution.root_cause.as_ref().map(|cause| cause.get_ref().clone()),
        durations,
        cost: measures.cost(schedule.end).map(|cost| Cost { per_minute: 0.0, ..cost }),
        users_peak: measures.users_peak(schedule.end),
        actions: counted,
        followups: resolution.followups.clone(),
    };
    let end = Message::IncidentResolved(resolved);
    writer.push(screen.of(schedule.end), &end, || file.resolution.span(), SHORTER_END)?;
    writer.plan.symptoms = symptoms::symptoms(file, screen.map(), schedule.end);
    let empty_phases = (0..is_empty.len()).filter(|place| is_empty[*place]).collect();
    Ok(Compiled { plan: writer.plan, empty_phases })
}

/// When the next sample or action is due.
fn next_due(
    screen: &Screen,
    sample: Option<&(u64, SystemMetrics)>,
    action: Option<&actions::Action>,
) -> Option<u64> {
    let sample = sample.map(|(due, _)| *due);
    let action = action.map(|action| screen.of(action.at));
    sample.into_iter().chain(action).min()
}

/// A plan that is being written, within its budget.
struct PlanWriter {
    budget: Budget,
    plan: Plan,
}

impl PlanWriter {
    fn next_index(&self) -> u64 {
        self.plan.events().len() as u64 + 1
    }

    fn push(
        &mut self,
        due: u64,
        message: &Message,
        span: impl FnOnce() -> Range<usize>,
        help: &str,
    ) -> Result<(), CompileError> {
        let data = message.data();
        self.budget.take(self.next_index(), data.get().len(), span, help)?;
        self.plan.push(due, message.kind(), data);
        Ok(())
    }
}

fn started(
    file: &ScenarioFile,
    screen: &Screen,
    digest: &str,
    seed: u64,
    settings: &Settings,
) -> IncidentStarted {
    let agents = file.agents.0.iter();
    let metrics = file.metrics.0.iter();
    IncidentStarted {
        origin: None,
        observed_at: None,
        offset_s: Some(0.0),
        synthetic: true,
        title: file.title.clone(),
        severity: file.severity,
        services: file.services.iter().map(|name| name.get_ref().clone()).collect(),
        phases: screen.phases().collect::<Vec<Phase>>(),
        agents: agents.map(|(id, role)| AgentInfo { id: id.get_ref().clone(), role: role.clone() }).collect(),
        metrics: metrics
            .map(|(name, metric)| MetricInfo {
                name: name.get_ref().clone(),
                unit: metric.unit.clone(),
                part: metric.part.as_ref().map(|part| MetricPart {
                    of: part.of.clone(),
                    by: part.by.clone(),
                    name: part.name.clone(),
                }),
            })
            .collect(),
        target_s: Some(file.target.get_ref().secs()),
        impact_started_at: Timestamp::UNIX_EPOCH,
        speed: Some(1.0),
        run: Some(Run {
            scenario: file.id.get_ref().clone(),
            digest: digest.to_owned(),
            seed,
            settings: settings.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        }),
    }
}
