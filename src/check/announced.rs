//! What an incident announced at its start.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::contract::{IncidentStarted, Phase, ScreenMap};

/// What an incident announced at its start.
#[derive(Debug)]
pub(super) struct Announced {
    pub(super) impact_started_at: Timestamp,
    /// Whether a scenario generated the incident: then everything is announced, and the seconds are exact. A drill
    /// without a scenario is the replay of a real incident.
    pub(super) is_generated: bool,
    pub(super) phases: Vec<Phase>,
    /// Whether the phases follow one another. Otherwise nothing is compared with them.
    pub(super) is_sound: bool,
    /// The place of each phase, by its name.
    places: HashMap<String, usize>,
    /// The starts of the phases, in order.
    borders: Vec<f64>,
    pub(super) agents: HashSet<String>,
    pub(super) metrics: HashSet<String>,
    /// The speed; 1 if it announces none.
    pub(super) speed: f64,
    screen: ScreenMap,
}

impl Announced {
    pub(super) fn of(started: &IncidentStarted, is_sound: bool) -> Self {
        let mut places = HashMap::new();
        for (place, phase) in started.phases.iter().enumerate() {
            places.entry(phase.name.clone()).or_insert(place);
        }
        let mut borders: Vec<f64> = started.phases.iter().map(|phase| phase.start_s).collect();
        borders.sort_by(f64::total_cmp);
        Self {
            places,
            borders,
            impact_started_at: started.impact_started_at,
            is_generated: started.synthetic && started.run.is_some(),
            is_sound,
            screen: ScreenMap::of(&started.phases),
            phases: started.phases.clone(),
            agents: started.agents.iter().map(|agent| agent.id.clone()).collect(),
            metrics: started.metrics.iter().map(|metric| metric.name.clone()).collect(),
            speed: started.speed.unwrap_or(1.0),
        }
    }

    /// The place of a phase among the announced ones.
    pub(super) fn place_of(&self, phase: &str) -> Option<usize> {
        self.places.get(phase).copied()
    }

    /// The starts of phases after `since` and not after `until`, in order.
    pub(super) fn borders(&self, since: f64, until: f64) -> &[f64] {
        let from = self.borders.partition_point(|border| *border <= since);
        let to = self.borders.partition_point(|border| *border <= until).max(from);
        &self.borders[from..to]
    }

    /// The screen second, at speed 1, of a second of the incident.
    pub(super) fn screen_s(&self, offset_s: f64) -> f64 {
        self.screen.screen((offset_s * 1e6).round() as u64) as f64 / 1e6
    }
}
