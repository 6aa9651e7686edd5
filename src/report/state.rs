//! The state of one incident, as JSON too: `GET /api/incidents/ID` and what `fold.js` computes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Actions, Cost, Durations, Evidence, Forecast, Outcome, Phase, Run, ScreenMap, Severity, Status,
};

/// Everything a panel shows of one incident, after some prefix of its events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentState {
    /// The incident's id.
    pub id: String,
    /// Whether it goes on.
    pub state: State,
    /// `index` of the newest event that was folded in.
    pub index: u64,
    /// Second of the incident at which that event happened.
    pub offset_s: f64,
    /// Its time.
    pub time: Timestamp,
    /// One line that names the incident.
    pub title: String,
    /// `None` until `incident_started` was seen.
    pub severity: Option<Severity>,
    /// The services that suffer.
    pub services: Vec<String>,
    /// Whether it is a drill.
    pub synthetic: bool,
    /// Wall clock of second 0.
    pub impact_started_at: Option<Timestamp>,
    /// What the countdown runs to, in seconds of incident time.
    pub target_s: Option<f64>,
    /// Screen seconds pass this many times faster than the wall clock.
    pub speed: f64,
    /// The phases in order.
    pub phases: Vec<Phase>,
    /// The phase of the newest event that names one.
    pub phase: Option<String>,
    /// What happened last, in one sentence.
    pub now: Option<Now>,
    /// The agents in the order of `incident_started`, then of appearance.
    pub agents: Vec<AgentState>,
    /// Competing causes in order of appearance.
    pub hypotheses: Vec<HypothesisState>,
    /// The newest forecast of each quantity, in order of appearance.
    pub forecasts: Vec<ForecastState>,
    /// Name to unit.
    pub units: BTreeMap<String, String>,
    /// Newest values.
    pub metrics: BTreeMap<String, f64>,
    /// Users who suffer now.
    pub users_affected: Option<u64>,
    /// The most users who suffered at once, so far.
    pub users_peak: Option<u64>,
    /// Cost so far.
    pub cost: Option<Cost>,
    /// Planned second at which that cost was measured.
    pub cost_s: Option<f64>,
    /// Finished attempts so far.
    pub actions: Actions,
    /// Milestones reached.
    pub marks: Marks,
    /// What `incident_resolved` said.
    pub resolution: Option<Resolution>,
    /// Where it comes from.
    pub run: Option<Run>,
}

/// Whether an incident goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "plain words")]
pub enum State {
    Open,
    Resolved,
    Cancelled,
}

/// What happened last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// Who.
    pub agent: String,
    /// How far.
    pub status: Status,
    /// What.
    pub summary: String,
}

/// One agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentState {
    /// Its name.
    pub id: String,
    /// What it is there for, empty if never told.
    pub role: String,
    /// What it does.
    pub status: AgentStatus,
    /// Its newest action.
    pub action: Option<String>,
    /// What that action says.
    pub summary: Option<String>,
    /// The newest confidence that it gave, kept until it gives another.
    pub confidence: Option<f64>,
    /// The one it gave before, for the trend.
    pub confidence_before: Option<f64>,
    /// Planned second of the newest action.
    pub since_s: Option<f64>,
    /// What its newest conclusion with evidence rests on.
    pub evidence: Vec<Evidence>,
}

/// What an agent does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// Has not acted.
    Idle,
    /// Began something that is not finished.
    Working,
    /// Its newest action completed.
    Done,
    /// Its newest action failed.
    Failed,
}

/// One competing cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HypothesisState {
    /// Its name.
    pub id: String,
    /// What it says.
    pub claim: String,
    /// Its probability now.
    pub p: f64,
    /// Its highest probability so far.
    pub peak: f64,
}

/// A forecast and when it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForecastState {
    /// The forecast.
    #[serde(flatten)]
    pub forecast: Forecast,
    /// Planned second at which it was made.
    pub made_s: f64,
}

/// Milestones, in seconds of incident time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "named as the marks")]
pub struct Marks {
    pub detected: Option<f64>,
    pub diagnosed: Option<f64>,
    pub mitigated: Option<f64>,
}

/// How the incident ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolution {
    /// How.
    pub outcome: Outcome,
    /// One line for a person.
    pub summary: String,
    /// The id of the hypothesis that proved true.
    pub root_cause: Option<String>,
    /// How long it took.
    pub durations: Durations,
    /// What is left to do.
    pub followups: Vec<String>,
}

impl IncidentState {
    /// Before any event: what is not known is `None` or empty.
    pub(super) fn unknown(id: &str, time: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            state: State::Open,
            index: 0,
            offset_s: 0.0,
            time,
            title: id.to_owned(),
            severity: None,
            services: Vec::new(),
            synthetic: false,
            impact_started_at: None,
            target_s: None,
            speed: 1.0,
            phases: Vec::new(),
            phase: None,
            now: None,
            agents: Vec::new(),
            hypotheses: Vec::new(),
            forecasts: Vec::new(),
            units: BTreeMap::new(),
            metrics: BTreeMap::new(),
            users_affected: None,
            users_peak: None,
            cost: None,
            cost_s: None,
            actions: Actions::default(),
            marks: Marks::default(),
            resolution: None,
            run: None,
        }
    }

    /// The second of the incident at a wall-clock time, from the phases and the speed: between events
    /// the countdown runs on this. Never before the newest event nor, once ended, after it.
    pub fn offset_at(&self, time: Timestamp) -> f64 {
        let Some(started) = self.impact_started_at.filter(|_| self.state == State::Open) else {
            return self.offset_s;
        };
        let screen_s = time.duration_since(started).as_secs_f64() * self.speed;
        let incident = ScreenMap::of(&self.phases).incident((screen_s * 1e6) as u64);
        (incident as f64 / 1e6).max(self.offset_s)
    }

    /// The cost at a wall-clock time: the newest total, grown at its rate since it was measured. Rates change with
    /// phases, so at a border it waits for the next sample: growing on would show money that comes back.
    pub fn cost_at(&self, time: Timestamp) -> Option<f64> {
        let (cost, measured_s) = (self.cost.as_ref()?, self.cost_s?);
        let mut ends = self.phases.iter().filter_map(|phase| phase.end_s);
        let border = ends.find(|end_s| measured_s < *end_s);
        let until = border.unwrap_or(f64::INFINITY).min(self.offset_at(time));
        Some(cost.total + (until - measured_s).max(0.0) / 60.0 * cost.per_minute)
    }
}
