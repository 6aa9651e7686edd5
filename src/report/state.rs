//! The state of one incident. As JSON it is the answer of `GET /api/incidents/ID`, and what `dashboard/fold.js`
//! computes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Actions, Cost, Durations, Evidence, Forecast, Outcome, Phase, Run, ScreenMap, Severity, Status,
    deserialize_optional_time, deserialize_time,
};

/// A longer distance between the time of an event and its second shows that the clock was set, in seconds.
const STEP_S: f64 = 60.0;

/// Everything that the dashboard shows of one incident, after some of its events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentState {
    /// The incident's id.
    pub id: String,
    /// Whether the incident is open, resolved or cancelled.
    pub state: IncidentStatus,
    /// Index of the newest event.
    pub index: u64,
    /// Second of the incident at which the newest event happened; of a real incident whose start was not seen `None` until its end.
    pub offset_s: Option<f64>,
    /// When the newest event was appended, by the wall clock.
    #[serde(deserialize_with = "deserialize_time")]
    pub time: Timestamp,
    /// The incident's title, in one line.
    pub title: String,
    /// The severity; `None` as long as `incident_started` is missing.
    pub severity: Option<Severity>,
    /// The affected services.
    pub services: Vec<String>,
    /// Whether the incident is a drill.
    pub synthetic: bool,
    /// Wall clock of second 0.
    #[serde(default, deserialize_with = "deserialize_optional_time")]
    pub impact_started_at: Option<Timestamp>,
    /// The time within which the incident should be resolved, in seconds of incident time.
    pub target_s: Option<f64>,
    /// How many screen seconds pass per second of the wall clock.
    pub speed: f64,
    /// The phases in order.
    pub phases: Vec<Phase>,
    /// The phase of the newest event that names one.
    pub phase: Option<String>,
    /// The newest action.
    pub now: Option<Now>,
    /// The agents in the order of `incident_started`, then of appearance.
    pub agents: Vec<AgentState>,
    /// The competing hypotheses, in order of appearance.
    pub hypotheses: Vec<HypothesisState>,
    /// The newest forecast of each quantity, in order of appearance.
    pub forecasts: Vec<ForecastState>,
    /// The unit of each metric, by its name.
    pub units: BTreeMap<String, String>,
    /// The newest value of each metric, by its name.
    pub metrics: BTreeMap<String, f64>,
    /// The number of affected users now.
    pub users_affected: Option<u64>,
    /// The highest number of affected users so far.
    pub users_peak: Option<u64>,
    /// The cost so far.
    pub cost: Option<Cost>,
    /// Second of the incident at which the cost was measured, if that is known.
    pub cost_s: Option<f64>,
    /// How many actions have finished so far, and how many of them failed.
    pub actions: Actions,
    /// The milestones that were reached.
    pub marks: Marks,
    /// What `incident_resolved` says; `None` while the incident is open.
    pub resolution: Option<Resolution>,
    /// The scenario and seed of a simulated incident.
    pub run: Option<Run>,
}

/// Whether an incident is open, resolved or cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "plain words")]
pub enum IncidentStatus {
    Open,
    Resolved,
    Cancelled,
}

/// The newest action of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// The agent.
    pub agent: String,
    /// The action's status.
    pub status: Status,
    /// What the action is about, in one line.
    pub summary: String,
}

/// The state of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentState {
    /// The agent's name.
    pub id: String,
    /// The agent's task; empty if no event named it.
    pub role: String,
    /// What the agent is doing.
    pub status: AgentStatus,
    /// The kind of its newest action.
    pub action: Option<String>,
    /// The summary of its newest action.
    pub summary: Option<String>,
    /// The newest confidence that it reported. An action that rejects a hypothesis reports none of its own.
    pub confidence: Option<f64>,
    /// The confidence that it reported before, for the trend; none if that one was about something else.
    pub confidence_before: Option<f64>,
    /// What the confidence is about: a hypothesis' id, or else the kind of the action.
    #[serde(default)]
    pub confidence_in: Option<String>,
    /// Second of the incident at which the newest action happened, if that is known.
    pub since_s: Option<f64>,
    /// The newest evidence that it gave.
    pub evidence: Vec<Evidence>,
}

/// What an agent is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// It has not acted yet.
    Idle,
    /// It has begun an action that is not finished.
    Working,
    /// Its newest action completed.
    Done,
    /// Its newest action failed.
    Failed,
}

/// The state of a hypothesis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HypothesisState {
    /// The hypothesis' id.
    pub id: String,
    /// The hypothesis in one sentence.
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
    /// Second of the incident at which it was made, if that is known.
    pub made_s: Option<f64>,
}

/// When each milestone was reached, in seconds of incident time.
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
    /// Whether it was resolved or cancelled.
    pub outcome: Outcome,
    /// One line for a person.
    pub summary: String,
    /// Id of the hypothesis that proved true.
    pub root_cause: Option<String>,
    /// Times from the start to each milestone and to the end.
    pub durations: Durations,
    /// What remains to be done after the incident.
    pub followups: Vec<String>,
}

impl IncidentState {
    /// The state before the first event: unknown fields are `None` or empty.
    pub(super) fn unknown(id: &str, time: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            state: IncidentStatus::Open,
            index: 0,
            offset_s: None,
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

    /// The second of the incident at a wall-clock time, computed from the phases and the speed. Clocks use it between
    /// events. It is never before the newest event and, once the incident has ended, never after it. It counts from
    /// `impact_started_at`, or from the newest event if the clock was set in between: then the two are more than a minute
    /// apart. `None` if neither is known.
    pub fn offset_at(&self, time: Timestamp) -> Option<f64> {
        let Some(started) = self.impact_started_at.filter(|_| self.state == IncidentStatus::Open) else {
            return self.offset_s;
        };
        let map = ScreenMap::of(&self.phases);
        let newest_s = self.offset_s.unwrap_or_default();
        let of_newest_s =
            if newest_s > 0.0 { map.screen((newest_s * 1e6).round() as u64) as f64 / 1e6 } else { newest_s };
        let since_start_s = time.duration_since(started).as_secs_f64() * self.speed;
        let since_newest_s = of_newest_s + time.duration_since(self.time).as_secs_f64() * self.speed;
        let was_set = (since_start_s - since_newest_s).abs() > STEP_S * self.speed;
        let screen_s = if was_set { since_newest_s } else { since_start_s };
        // Before the impact no phase stretches the time.
        let incident_s =
            if screen_s < 0.0 { screen_s } else { map.incident((screen_s * 1e6) as u64) as f64 / 1e6 };
        Some(incident_s.max(newest_s))
    }

    /// The cost at a wall-clock time: the newest total plus what its rate adds since it was measured. The rate may
    /// change with the phase, so the cost stops growing at the end of a phase until the next sample. Otherwise it might
    /// have to fall again.
    pub fn cost_at(&self, time: Timestamp) -> Option<f64> {
        let (cost, measured_s) = (self.cost.as_ref()?, self.cost_s?);
        let mut starts = self.phases.iter().skip(1).map(|phase| phase.start_s);
        let border = starts.find(|start_s| measured_s < *start_s);
        let until = border.unwrap_or(f64::INFINITY).min(self.offset_at(time).unwrap_or(measured_s));
        Some(cost.total + (until - measured_s).max(0.0) / 60.0 * cost.per_minute)
    }
}
