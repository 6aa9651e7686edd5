//! Compiling a scenario and a seed to the plan of an incident.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::contract::{
    Actions, AgentInfo, Cost, Durations, IncidentResolved, IncidentStarted, MAX_EVENT_BYTES, Message,
    MetricInfo, Outcome, Phase, Run,
};
use crate::plan::Plan;
use crate::scenario::file::ScenarioFile;

use super::error::CompileError;
use super::measures::Measures;
use super::screen::Screen;
use super::{actions, measures, schedule};

/// Compiles a file without mistakes. The first event is `incident_started`, whose `speed` and `impact_started_at` the
/// player sets; the last one is `incident_resolved`.
pub(in crate::scenario) fn compile(
    file: &ScenarioFile,
    digest: &str,
    seed: u64,
) -> Result<Plan, CompileError> {
    let schedule = schedule::schedule(file, seed)?;
    let screen = Screen::new(file, schedule.end);
    measures::check_length(file, &screen, seed)?;
    let measures = Measures::new(file, &screen, seed);
    let actions = actions::actions(file, &schedule, seed);

    let mut events: Vec<(u64, Draft)> = Vec::new();
    events.push((0, Draft::Done(Box::new(Message::IncidentStarted(started(file, &screen, digest, seed))))));
    let samples =
        measures.samples().map(|(due, sample)| (due, Draft::Done(Box::new(Message::SystemMetrics(sample)))));
    events.extend(samples);
    let drafts = actions.into_iter().map(|action| (screen.of(action.at), Draft::Action(Box::new(action))));
    events.extend(drafts);
    // The sort is stable: of events at the same moment, the start comes first, then samples, then actions.
    events.sort_by_key(|(due, _)| *due);

    let mut index_of = HashMap::new();
    let mut planned = Vec::with_capacity(events.len() + 1);
    for ((due, draft), index) in events.into_iter().zip(1..) {
        let message = match draft {
            Draft::Done(message) => *message,
            Draft::Action(mut action) => {
                index_of.insert(action.id, index);
                action.message.phase = Some(screen.phase(action.at).to_owned());
                action.message.caused_by = action.cause.and_then(|cause| index_of.get(&cause).copied());
                Message::AgentAction(action.message)
            }
        };
        planned.push((due, message));
    }
    let (actions, mut durations) = tally(planned.iter().map(|(_, message)| message));
    durations.resolve_s = schedule.end.secs();
    let resolution = &file.resolution;
    let resolved = IncidentResolved {
        offset_s: Some(schedule.end.secs()),
        synthetic: true,
        outcome: Outcome::Resolved,
        summary: resolution.summary.clone(),
        root_cause: resolution.root_cause.as_ref().map(|cause| cause.get_ref().clone()),
        durations,
        cost: measures.cost(schedule.end).map(|cost| Cost { per_minute: 0.0, ..cost }),
        users_peak: measures.users_peak(schedule.end),
        actions,
        followups: resolution.followups.clone(),
    };
    planned.push((screen.of(schedule.end), Message::IncidentResolved(resolved)));
    let mut plan = Plan::new(file.id.get_ref().clone(), seed);
    for (due, message) in &planned {
        plan.push_message(*due, message);
    }
    // Otherwise the journal would refuse the event during the incident, and the incident would stay open for ever.
    for (event, index) in plan.events().iter().zip(1..) {
        let bytes = event.data().get().len();
        if bytes > MAX_EVENT_BYTES - 1024 {
            let message = format!("the data of event {index} has {bytes} bytes");
            let help = format!(
                "an event has at most {MAX_EVENT_BYTES} bytes with its envelope; shorten the texts of the step"
            );
            return Err(CompileError { message, seed, span: file.id.span(), help });
        }
    }
    Ok(plan)
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
        offset_s: Some(0.0),
        synthetic: true,
        title: file.title.clone(),
        severity: file.severity,
        services: file.services.clone(),
        phases: screen.phases().collect::<Vec<Phase>>(),
        agents: agents.map(|(id, role)| AgentInfo { id: id.get_ref().clone(), role: role.clone() }).collect(),
        metrics: metrics
            .map(|(name, metric)| MetricInfo { name: name.get_ref().clone(), unit: metric.unit.clone() })
            .collect(),
        target_s: Some(file.target.secs()),
        impact_started_at: Timestamp::UNIX_EPOCH,
        speed: Some(1.0),
        run: Some(Run { scenario: file.id.get_ref().clone(), digest: digest.to_owned(), seed }),
    }
}

/// Counts the finished actions and collects the milestones.
fn tally<'a>(messages: impl Iterator<Item = &'a Message>) -> (Actions, Durations) {
    let mut actions = Actions::default();
    let mut durations = Durations::default();
    for message in messages {
        let Message::AgentAction(action) = message else { continue };
        actions.count(action.status);
        for mark in &action.marks {
            durations.reach(*mark, action.offset_s.unwrap_or_default());
        }
    }
    (actions, durations)
}
