//! One incident from its first event to its last: the state that the fold ends with, and what it went through.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::words;
use super::{Board, IncidentState, Marks, State};
use crate::contract::{AgentAction, Envelope, Mark, Message, Phase, SystemMetrics};

/// What a post-incident report is made of. The same events give the same history, whoever collected them.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The state after the last event.
    pub incident: IncidentState,
    /// Whether it is a drill, by any event: the first, which says it for the fold, may be missing.
    pub synthetic: bool,
    /// How many events there are.
    pub events: usize,
    /// First and last index of every run of events that is missing before the last one.
    pub missing: Vec<(u64, u64)>,
    /// Every action, in order.
    pub acts: Vec<Act>,
    /// What was believed, each time that beliefs were told.
    pub tellings: Vec<Telling>,
    /// Every sample, in order.
    pub samples: Vec<Sample>,
}

/// One action and when it was published.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// Its place in the incident, from 1.
    pub index: u64,
    /// Second of the incident.
    pub offset_s: f64,
    /// Wall clock of the append.
    pub time: Timestamp,
    /// What was done.
    pub action: AgentAction,
    /// Milestones that were reached with it for the first time.
    pub reached: Vec<Mark>,
}

/// One sample of the metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Second of the incident.
    pub offset_s: f64,
    /// What was measured.
    pub measured: SystemMetrics,
}

/// All beliefs at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Telling {
    /// Second of the incident.
    pub offset_s: f64,
    /// Probabilities in the order of the state's hypotheses, of which later ones may not be known yet.
    pub beliefs: Vec<f64>,
}

/// The events of one incident by their index.
type Events<'a> = BTreeMap<u64, (&'a Envelope, Message)>;

impl History {
    /// A history an incident, in order of appearance. An event that comes again counts once, one that comes late
    /// stands where its index says; control messages and payloads that can't be read are passed over.
    pub fn all<'a>(events: impl IntoIterator<Item = &'a Envelope>) -> Vec<Self> {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut incidents: Vec<Events> = Vec::new();
        for event in events {
            let Ok(message) = event.message() else { continue };
            let Some(index) = event.index.filter(|_| !message.kind().is_control()) else { continue };
            let place = *places.entry(event.incident()).or_insert(incidents.len());
            if place == incidents.len() {
                incidents.push(Events::new());
            }
            incidents[place].entry(index).or_insert((event, message));
        }
        incidents.into_iter().filter_map(Self::of).collect()
    }

    fn of(events: Events) -> Option<Self> {
        let mut board = Board::default();
        let (mut acts, mut tellings, mut samples) = (Vec::new(), Vec::new(), Vec::new());
        let (mut synthetic, mut missing, mut expected) = (false, Vec::new(), 1);
        let mut marks = Marks::default();
        let count = events.len();
        for (index, (event, message)) in events {
            if index > expected {
                missing.push((expected, index - 1));
            }
            expected = index.saturating_add(1);
            let Some(state) = board.fold(event) else { continue };
            synthetic |= message.is_synthetic();
            let offset_s = state.offset_s;
            if let Message::SystemMetrics(measured) = message {
                samples.push(Sample { offset_s, measured });
            } else if let Message::AgentAction(action) = message {
                if !action.hypotheses.is_empty() {
                    let beliefs = state.hypotheses.iter().map(|hypothesis| hypothesis.p).collect();
                    tellings.push(Telling { offset_s, beliefs });
                }
                let reached = newly_reached(&marks, &state.marks);
                acts.push(Act { index, offset_s, time: event.time, action, reached });
            }
            marks.clone_from(&state.marks);
        }
        let incident = board.incidents().first()?.clone();
        Some(Self { incident, synthetic, events: count, missing, acts, tellings, samples })
    }

    /// Whether nothing is missing between the start and the end.
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.incident.state != State::Open
    }

    /// Whether wall clock and incident time ran alike, as far as the start was seen.
    pub fn is_real_time(&self) -> bool {
        let even = |phase: &Phase| {
            let (Some(end_s), Some(play_s)) = (phase.end_s, phase.play_s) else { return true };
            (end_s - phase.start_s - play_s).abs() < 0.001
        };
        (self.incident.speed - 1.0).abs() < f64::EPSILON && self.incident.phases.iter().all(even)
    }

    /// A moment of the incident: `T+01:20`; with hours throughout in an incident that is told in hours, as the page
    /// does it.
    pub fn stamp(&self, offset_s: f64) -> String {
        let incident = &self.incident;
        let planned = incident.phases.last().and_then(|phase| phase.end_s).unwrap_or_default();
        let longest = planned.max(incident.target_s.unwrap_or_default()).max(incident.offset_s);
        let (hours, minutes, seconds) = words::parts(offset_s);
        if longest >= 3600.0 {
            format!("T+{hours}:{minutes:02}:{seconds:02}")
        } else {
            format!("T+{minutes:02}:{seconds:02}")
        }
    }

    /// The action with that index.
    pub fn act(&self, index: u64) -> Option<&Act> {
        let place = self.acts.binary_search_by_key(&index, |act| act.index).ok()?;
        self.acts.get(place)
    }

    /// The action with which a milestone was reached.
    pub fn reached(&self, mark: Mark) -> Option<&Act> {
        self.acts.iter().find(|act| act.reached.contains(&mark))
    }
}

fn newly_reached(before: &Marks, after: &Marks) -> Vec<Mark> {
    let pairs = [
        (Mark::Detected, before.detected, after.detected),
        (Mark::Diagnosed, before.diagnosed, after.diagnosed),
        (Mark::Mitigated, before.mitigated, after.mitigated),
    ];
    pairs
        .into_iter()
        .filter(|(_, before, after)| before.is_none() && after.is_some())
        .map(|(m, ..)| m)
        .collect()
}
