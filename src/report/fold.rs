//! The fold: turns events into the states of incidents. `dashboard/fold.js` does the same in the browser; a test
//! compares both on a recorded stream.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::contract::{
    AgentAction, Envelope, HypothesisBelief, IncidentResolved, IncidentStarted, Mark, Message, Outcome,
    Status, SystemMetrics, offset_of,
};

use super::rejection::REJECTED;
use super::state::{
    AgentState, AgentStatus, ForecastState, HypothesisState, IncidentState, IncidentStatus, Now, Resolution,
};
use super::work::step;

/// The states of all incidents of a stream, in order of appearance.
#[derive(Debug, Default, Clone)]
pub struct Board {
    incidents: Vec<IncidentState>,
    /// Where each of them is, by its id.
    places: HashMap<String, usize>,
}

impl Board {
    /// Applies one event. Control messages, payloads that cannot be read and repeated events change nothing. Returns
    /// the incident's state if it changed.
    pub fn fold(&mut self, envelope: &Envelope) -> Option<&IncidentState> {
        let message = envelope.message().ok().filter(|message| !message.kind().is_control())?;
        self.apply(envelope.incident(), envelope.index?, envelope.time, message, believe)
    }

    /// The same for an incident's event whose message was read. `believe` enters what it says of hypotheses.
    pub(super) fn apply(
        &mut self,
        id: &str,
        index: u64,
        time: Timestamp,
        message: Message,
        believe: impl FnOnce(&mut Vec<HypothesisState>, Vec<HypothesisBelief>),
    ) -> Option<&IncidentState> {
        let place = match self.places.get(id) {
            Some(place) => *place,
            None => self.push(IncidentState::unknown(id, time)),
        };
        let incident = &mut self.incidents[place];
        if index <= incident.index {
            return None;
        }
        incident.index = index;
        incident.time = time;
        if let Message::IncidentStarted(started) = &message {
            incident.impact_started_at = Some(started.impact_started_at);
        }
        incident.synthetic = message.is_synthetic();
        // The second of a real event is unknown as long as the incident's start is; the resolution says how long it took.
        let second = offset_of(&message, time, incident.impact_started_at).or(match &message {
            Message::IncidentResolved(resolved) => Some(resolved.durations.resolve_s),
            _ => None,
        });
        incident.offset_s = second.or(incident.offset_s);
        incident.phase = message.phase().map(str::to_owned).or(incident.phase.take());
        match message {
            Message::IncidentStarted(started) => start(incident, started),
            Message::AgentAction(action) => act(incident, action, second, believe),
            Message::SystemMetrics(metrics) => measure(incident, metrics, second),
            Message::IncidentResolved(resolved) => end(incident, resolved),
            Message::StreamOpened(_) | Message::Heartbeat(_) => {}
        }
        Some(incident)
    }

    /// All incidents, in order of appearance.
    pub fn incidents(&self) -> &[IncidentState] {
        &self.incidents
    }

    /// The state of the incident with this id.
    pub fn get(&self, id: &str) -> Option<&IncidentState> {
        self.places.get(id).and_then(|place| self.incidents.get(*place))
    }

    /// Adds the state of an incident that is not there yet. Returns its place.
    fn push(&mut self, state: IncidentState) -> usize {
        let place = self.incidents.len();
        self.places.insert(state.id.clone(), place);
        self.incidents.push(state);
        place
    }

    /// Takes a state that was folded elsewhere, unless more is known here.
    pub fn put(&mut self, state: IncidentState) {
        let place = self.places.get(&state.id).copied();
        match place.and_then(|place| self.incidents.get_mut(place)) {
            Some(known) if known.state != IncidentStatus::Open => {}
            Some(known) if state.state == IncidentStatus::Open && state.index < known.index => {}
            Some(known) => *known = state,
            None => {
                self.push(state);
            }
        }
    }

    /// Removes every incident that is not to be kept.
    pub fn retain(&mut self, keep: impl FnMut(&IncidentState) -> bool) {
        let before = self.incidents.len();
        self.incidents.retain(keep);
        if self.incidents.len() == before {
            return;
        }
        let places = self.incidents.iter().enumerate();
        self.places = places.map(|(place, incident)| (incident.id.clone(), place)).collect();
    }

    /// Removes the incident with this id.
    pub fn forget(&mut self, id: &str) {
        if self.places.contains_key(id) {
            self.retain(|incident| incident.id != id);
        }
    }

    /// Removes the oldest ended incidents until at most `keep` incidents are left.
    pub fn forget_ended(&mut self, keep: usize) {
        let mut surplus = self.incidents.len().saturating_sub(keep);
        self.retain(|incident| {
            let drop = surplus > 0 && incident.state != IncidentStatus::Open;
            surplus -= usize::from(drop);
            !drop
        });
    }
}

fn start(incident: &mut IncidentState, started: IncidentStarted) {
    incident.title = started.title;
    incident.severity = Some(started.severity);
    incident.services = started.services;
    incident.units = started.metrics.into_iter().map(|metric| (metric.name, metric.unit)).collect();
    incident.target_s = started.target_s;
    incident.speed = started.speed.unwrap_or(1.0);
    incident.phase = started.phases.first().map(|phase| phase.name.clone());
    incident.phases = started.phases;
    incident.agents = started.agents.into_iter().map(|agent| idle(agent.id, agent.role)).collect();
    incident.run = started.run;
}

/// `second` is that of the event, if it is known.
fn act(
    incident: &mut IncidentState,
    action: AgentAction,
    second: Option<f64>,
    believe: impl FnOnce(&mut Vec<HypothesisState>, Vec<HypothesisBelief>),
) {
    incident.actions.count(action.status);
    for mark in &action.marks {
        let slot = match mark {
            Mark::Detected => &mut incident.marks.detected,
            Mark::Diagnosed => &mut incident.marks.diagnosed,
            Mark::Mitigated => &mut incident.marks.mitigated,
        };
        // A milestone is reached once. Only the first time counts.
        *slot = slot.or(second);
    }
    let about = subject_of(&action);
    believe(&mut incident.hypotheses, action.hypotheses);
    if let Some(forecast) = action.forecast {
        let made = ForecastState { forecast, made_s: incident.offset_s };
        match incident.forecasts.iter_mut().find(|old| old.forecast.quantity == made.forecast.quantity) {
            Some(old) => *old = made,
            None => incident.forecasts.push(made),
        }
    }
    let place = match incident.agents.iter().position(|agent| agent.id == action.agent) {
        Some(place) => place,
        None => {
            incident.agents.push(idle(action.agent.clone(), String::new()));
            incident.agents.len() - 1
        }
    };
    let agent = &mut incident.agents[place];
    agent.status = match action.status {
        Status::InProgress => AgentStatus::Working,
        Status::Completed => AgentStatus::Done,
        Status::Failed => AgentStatus::Failed,
    };
    agent.summary = Some(action.summary.clone());
    agent.since_s = second;
    // The number of a rejection is the belief in what it rejects.
    if action.confidence.is_some() && action.action != REJECTED {
        // A belief in one cause is no earlier value of the belief in another.
        let same = agent.confidence_in.as_deref() == Some(about.as_str());
        agent.confidence_before = agent.confidence.filter(|_| same);
        agent.confidence = action.confidence;
        agent.confidence_in = Some(about);
    }
    agent.action = Some(action.action);
    if !action.evidence.is_empty() {
        agent.evidence = action.evidence;
    }
    incident.now = Some(Now { agent: action.agent, status: action.status, summary: action.summary });
}

/// What the confidence of an action is about: the hypothesis that has this belief, or else what the action does.
fn subject_of(action: &AgentAction) -> String {
    let believed = action.hypotheses.iter().find(|belief| Some(belief.p) == action.confidence);
    believed.map_or_else(|| action.action.clone(), |belief| belief.id.clone())
}

/// An event that lists hypotheses lists all of them: a missing one has the probability 0.
fn believe(known: &mut Vec<HypothesisState>, beliefs: Vec<HypothesisBelief>) {
    if beliefs.is_empty() {
        return;
    }
    for old in known.iter_mut() {
        step();
        old.p = 0.0;
    }
    for (place, belief) in beliefs.into_iter().enumerate() {
        // They mostly come in the same order: then each is at its place.
        let same = known.get(place).is_some_and(|old| old.id == belief.id);
        let old = if same { known.get_mut(place) } else { known.iter_mut().find(|old| old.id == belief.id) };
        match old {
            Some(old) => {
                old.p = belief.p;
                old.peak = old.peak.max(belief.p);
                old.claim = belief.claim;
            }
            None => known.push(HypothesisState {
                id: belief.id,
                claim: belief.claim,
                p: belief.p,
                peak: belief.p,
            }),
        }
    }
}

fn measure(incident: &mut IncidentState, sample: SystemMetrics, second: Option<f64>) {
    incident.metrics.extend(sample.metrics);
    if let Some(users) = sample.users_affected {
        incident.users_affected = Some(users);
        incident.users_peak = incident.users_peak.max(Some(users));
    }
    if sample.cost.is_some() {
        incident.cost = sample.cost;
        incident.cost_s = second;
    }
}

fn end(incident: &mut IncidentState, resolved: IncidentResolved) {
    incident.state = match resolved.outcome {
        Outcome::Resolved => IncidentStatus::Resolved,
        Outcome::Cancelled => IncidentStatus::Cancelled,
    };
    if resolved.cost.is_some() {
        incident.cost = resolved.cost;
        incident.cost_s = incident.offset_s;
    }
    if resolved.users_peak.is_some() {
        incident.users_peak = resolved.users_peak;
    }
    // What the resolution alone tells: an event that told it may be missing, or never have been.
    let (marks, durations) = (&mut incident.marks, &resolved.durations);
    marks.detected = marks.detected.or(durations.detect_s);
    marks.diagnosed = marks.diagnosed.or(durations.diagnose_s);
    marks.mitigated = marks.mitigated.or(durations.mitigate_s);
    // The publisher has counted every attempt; this fold may have missed earlier events.
    incident.actions = resolved.actions;
    for agent in &mut incident.agents {
        if agent.status == AgentStatus::Working {
            agent.status = AgentStatus::Idle;
        }
    }
    incident.resolution = Some(Resolution {
        outcome: resolved.outcome,
        summary: resolved.summary,
        root_cause: resolved.root_cause,
        durations: resolved.durations,
        followups: resolved.followups,
    });
}

fn idle(id: String, role: String) -> AgentState {
    AgentState {
        id,
        role,
        status: AgentStatus::Idle,
        action: None,
        summary: None,
        confidence: None,
        confidence_before: None,
        confidence_in: None,
        since_s: None,
        evidence: Vec::new(),
    }
}
