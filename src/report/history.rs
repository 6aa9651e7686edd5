//! The history of one incident: the state after its last event, and everything that led to it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::believed::Believed;
use super::fold::Board;
use super::state::{IncidentState, IncidentStatus};
use super::told::{Events, Told, ToldIncidents};
use super::words;
use super::work::step;
use crate::contract::{
    AgentAction, Cost, Envelope, Mark, Message, MessageType, Phase, SystemMetrics, happened_at, offset_of,
};

/// The data of a post-incident report. The same events always give the same history. Its seconds are those at which publishers
/// observed what they tell, as in the resolution: while an incident is followed, the state counts when events were stored.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The state after the last event.
    pub incident: IncidentState,
    /// Whether it is a drill: whether any of its events is synthetic.
    pub synthetic: bool,
    /// How many events the history has.
    pub events: usize,
    /// Whether the seconds of its events are known. Those of a real incident whose start is missing are counted back from its
    /// resolution, once it is there.
    pub is_timed: bool,
    /// The gaps before the last event, each as the first and the last missing index.
    pub missing: Vec<(u64, u64)>,
    /// All events of actions, in order.
    pub actions: Vec<ActionEvent>,
    /// The probabilities of all hypotheses after each event that lists them.
    pub belief_updates: Vec<BeliefUpdate>,
    /// All samples of the metrics, in order.
    pub samples: Vec<MetricSample>,
}

/// An `agent_action` event.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionEvent {
    /// The event's index in the incident.
    pub index: u64,
    /// Second of the incident.
    pub offset_s: f64,
    /// When the event was appended, by the wall clock.
    pub time: Timestamp,
    /// The payload.
    pub action: AgentAction,
    /// The milestones that were reached for the first time with this event.
    pub reached: Vec<Mark>,
}

/// A `system_metrics` event.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSample {
    /// Second of the incident.
    pub offset_s: f64,
    /// Users affected at that moment.
    pub users_affected: Option<u64>,
    /// The cost of the incident until then.
    pub cost: Option<Cost>,
    /// The value of each metric, in order of the names. All samples share the texts of their names: a long incident has the same few
    /// in each.
    pub metrics: Box<[(Arc<str>, f64)]>,
}

impl MetricSample {
    /// The value of a metric.
    pub fn value(&self, name: &str) -> Option<f64> {
        let found = self.metrics.binary_search_by(|(other, _)| other.as_ref().cmp(name));
        found.ok().map(|place| self.metrics[place].1)
    }
}

/// The probabilities of all hypotheses at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct BeliefUpdate {
    /// Second of the incident.
    pub offset_s: f64,
    /// How many hypotheses there were: the first so many of the incident's state.
    pub known: usize,
    /// The probabilities that are not 0, each with the place of its hypothesis in the incident's state, in order of the places.
    /// An event of one hypothesis among a thousand takes no more memory than the event.
    pub beliefs: Vec<(usize, f64)>,
}

impl BeliefUpdate {
    /// The probability of the hypothesis at this place; `None` if it appears later.
    pub fn belief(&self, place: usize) -> Option<f64> {
        step();
        let found = self.beliefs.binary_search_by_key(&place, |(place, _)| *place);
        (place < self.known).then(|| found.map_or(0.0, |found| self.beliefs[found].1))
    }
}

impl History {
    /// The histories of all incidents, in order of appearance. A repeated event counts once. Events are sorted by their
    /// index. Control messages and payloads that cannot be read are skipped.
    pub fn all<'a>(events: impl IntoIterator<Item = &'a Envelope>) -> Vec<Self> {
        let mut told = ToldIncidents::default();
        events.into_iter().for_each(|event| told.add(event));
        Self::of(told)
    }

    /// The histories of all incidents of which something was told, in order of appearance.
    pub fn of(told: ToldIncidents) -> Vec<Self> {
        told.into_incidents().into_iter().filter_map(|(id, events)| Self::of_one(&id, events)).collect()
    }

    fn of_one(id: &str, events: Events) -> Option<Self> {
        let (mut board, mut believed) = (Board::default(), Believed::default());
        let (mut actions, mut belief_updates, mut samples) = (Vec::new(), Vec::new(), Vec::new());
        let (mut synthetic, mut missing, mut expected) = (false, Vec::new(), 1);
        let (mut marks, mut happened, mut newest_s) = (Vec::new(), Timestamp::MIN, None);
        let count = events.len();
        let has_start = events.values().any(|told| told.kind() == MessageType::IncidentStarted);
        let began = if has_start { None } else { events.values().find_map(began) };
        let is_timed = has_start || began.is_some() || events.values().all(|told| told.offset_s().is_some());
        for (index, told) in events {
            let (time, message, metrics) = told.into_parts();
            if index > expected {
                missing.push((expected, index - 1));
            }
            expected = index.saturating_add(1);
            let believe = |known: &mut Vec<_>, told| believed.take(known, told);
            let Some(state) = board.apply(id, index, time, message.clone(), believe) else { continue };
            synthetic |= message.is_synthetic();
            happened = happened.max(happened_at(&message, time));
            newest_s = offset_of(&message, happened, began.or(state.impact_started_at)).or(state.offset_s);
            let offset_s = newest_s.unwrap_or_default();
            if let Message::SystemMetrics(SystemMetrics { users_affected, cost, .. }) = message {
                samples.push(MetricSample { offset_s, users_affected, cost, metrics });
            } else if let Message::AgentAction(action) = message {
                if !action.hypotheses.is_empty() {
                    let beliefs = believed.now(&state.hypotheses);
                    belief_updates.push(BeliefUpdate { offset_s, known: state.hypotheses.len(), beliefs });
                }
                let reached = newly_reached(&mut marks, &action.marks);
                actions.push(ActionEvent { index, offset_s, time, action, reached });
            }
        }
        let incident = IncidentState { offset_s: newest_s, ..board.incidents().first()?.clone() };
        Some(Self { incident, synthetic, events: count, is_timed, missing, actions, belief_updates, samples })
    }

    /// Whether the history is complete: it has the start, the end, and no gap between them.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.incident.state != IncidentStatus::Open
    }

    /// Whether incident time ran as fast as the wall clock, according to the start of the incident.
    pub fn is_real_time(&self) -> bool {
        let even = |phase: &Phase| {
            let (Some(end_s), Some(play_s)) = (phase.end_s, phase.play_s) else { return true };
            (end_s - phase.start_s - play_s).abs() < 0.001
        };
        (self.incident.speed - 1.0).abs() < f64::EPSILON && self.incident.phases.iter().all(even)
    }

    /// Second of the newest event; 0 if the seconds are not known.
    pub(super) fn newest_s(&self) -> f64 {
        self.incident.offset_s.unwrap_or_default()
    }

    /// Seconds from its beginning to its end, as the resolution has them, or to its newest event. An incident that was told
    /// later has events that are younger than its end. None ends before its last milestone, whatever its resolution says.
    pub(super) fn lasted_s(&self) -> f64 {
        let durations = self.incident.resolution.as_ref().map(|resolution| &resolution.durations);
        // An incident that was told before its impact has not lasted yet.
        durations.map_or_else(
            || self.newest_s().max(0.0),
            |durations| durations.resolve_s.max(durations.last_mark().1),
        )
    }

    /// A moment of the incident, as `T+01:20`, or `T−00:05` before its impact; `T+?` if the seconds are not known. If the incident
    /// takes an hour or longer, all moments have hours. The dashboard does the same.
    pub fn stamp(&self, offset_s: f64) -> String {
        if !self.is_timed {
            return "T+?".to_owned();
        }
        let incident = &self.incident;
        let planned = incident.phases.last().and_then(|phase| phase.end_s).unwrap_or_default();
        let first = self.actions.first().map(|event| event.offset_s);
        let first = first.into_iter().chain(self.samples.first().map(|sample| sample.offset_s));
        let longest = [planned, incident.target_s.unwrap_or_default(), self.newest_s()];
        let longest = first.map(f64::abs).chain(longest).fold(0.0, f64::max);
        let (sign, seconds) = if offset_s < 0.0 { ('−', (-offset_s).ceil()) } else { ('+', offset_s) };
        let (hours, minutes, seconds) = words::parts(seconds);
        if longest >= 3600.0 {
            format!("T{sign}{hours}:{minutes:02}:{seconds:02}")
        } else {
            format!("T{sign}{minutes:02}:{seconds:02}")
        }
    }

    /// The action with this index.
    pub fn action(&self, index: u64) -> Option<&ActionEvent> {
        let place = self.actions.binary_search_by_key(&index, |event| event.index).ok()?;
        self.actions.get(place)
    }

    /// The action that reached a milestone first.
    pub fn reached(&self, mark: Mark) -> Option<&ActionEvent> {
        self.actions.iter().find(|event| event.reached.contains(&mark))
    }
}

/// When a real incident began whose start is missing, by its resolution.
fn began(told: &Told) -> Option<Timestamp> {
    let (time, message) = told.other()?;
    let Message::IncidentResolved(resolved) = message else { return None };
    let took = Duration::try_from_secs_f64(resolved.durations.resolve_s).ok()?;
    if resolved.offset_s.is_some() { None } else { happened_at(message, time).checked_sub(took).ok() }
}

/// The milestones of an event that no event before it has reached.
fn newly_reached(before: &mut Vec<Mark>, marks: &[Mark]) -> Vec<Mark> {
    let all = [Mark::Detected, Mark::Diagnosed, Mark::Mitigated].into_iter();
    let new: Vec<Mark> = all.filter(|mark| marks.contains(mark) && !before.contains(mark)).collect();
    before.extend(&new);
    new
}
