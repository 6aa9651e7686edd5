//! The totals of an incident up to now: what its `incident_resolved` says if it is cancelled at this moment.

use std::collections::HashMap;

use crate::contract::{
    Actions, Cost, Durations, IncidentResolved, Message, Outcome, Phase, ScreenMap, SystemMetrics,
};

use super::stored::Plan;

/// The totals of one incident. Add its events in order.
#[derive(Debug, Clone, Default)]
pub struct IncidentTotals {
    phases: Vec<Phase>,
    /// `None` before the first event.
    synthetic: Option<bool>,
    last_s: f64,
    /// The newest cost and the second of the incident at which it was measured.
    cost: Option<(Cost, f64)>,
    rates: PhaseRates,
    users_peak: Option<u64>,
    actions: Actions,
    durations: Durations,
}

/// The cost per minute of each phase, from the first sample in that phase.
#[derive(Debug, Clone, Default)]
pub struct PhaseRates(HashMap<String, f64>);

impl PhaseRates {
    /// The rates of a plan. This reads all of its events.
    pub fn of(plan: &Plan) -> Self {
        let mut rates = Self::default();
        for message in plan.messages() {
            if let Message::SystemMetrics(sample) = message {
                rates.add(&sample);
            }
        }
        rates
    }

    fn add(&mut self, sample: &SystemMetrics) {
        if let (Some(phase), Some(cost)) = (&sample.phase, &sample.cost)
            && !self.0.contains_key(phase)
        {
            self.0.insert(phase.clone(), cost.per_minute);
        }
    }
}

impl IncidentTotals {
    /// Adds the next event, which happened at this second of the incident.
    pub fn add(&mut self, message: &Message, offset_s: f64) {
        self.synthetic.get_or_insert(message.is_synthetic());
        self.last_s = offset_s.max(self.last_s);
        if let Some(cost) = message.cost() {
            self.cost = Some((cost.clone(), offset_s));
        }
        if let Message::IncidentStarted(started) = message {
            self.phases.clone_from(&started.phases);
        }
        if let Message::AgentAction(action) = message {
            self.actions.count(action.status);
            for mark in &action.marks {
                self.durations.reach(*mark, offset_s);
            }
        }
        if let Message::SystemMetrics(sample) = message {
            self.users_peak = self.users_peak.max(sample.users_affected);
            self.rates.add(sample);
        }
    }

    /// How long it took to reach each milestone so far, if the incident ends at this second.
    pub fn durations(&self, offset_s: f64) -> Durations {
        Durations { resolve_s: offset_s, ..self.durations.clone() }
    }

    /// The `incident_resolved` that cancels the incident after `screen_us` microseconds of screen time. `planned` has the
    /// cost per minute of phases for which no sample has been published yet.
    pub fn cancelled(mut self, planned: &PhaseRates, screen_us: u64) -> IncidentResolved {
        let incident_us = ScreenMap::of(&self.phases).incident(screen_us);
        let offset_s = ((incident_us.saturating_add(500) / 1_000) as f64 / 1e3).max(self.last_s);
        // If no event can be read, assume a drill.
        let synthetic = self.synthetic.unwrap_or(true);
        let cost = self.cost.take().map(|(cost, measured_s)| {
            let total = cost.total + self.spent(planned, &cost, measured_s, offset_s);
            // A publisher's numbers may be too large to add up.
            let total = if total.is_finite() { total } else { cost.total };
            Cost { currency: cost.currency, total: cents(total).max(cost.total), per_minute: 0.0 }
        });
        self.durations.resolve_s = offset_s;
        IncidentResolved {
            origin: None,
            observed_at: None,
            offset_s: synthetic.then_some(offset_s),
            synthetic,
            outcome: Outcome::Cancelled,
            summary: "Cancelled before it was resolved".to_owned(),
            root_cause: None,
            durations: self.durations,
            cost,
            users_peak: self.users_peak,
            actions: self.actions,
            followups: Vec::new(),
        }
    }

    /// The cost between two moments, at the rate of each phase between them; without phases, at the rate of the newest
    /// sample.
    fn spent(&self, planned: &PhaseRates, newest: &Cost, from_s: f64, to_s: f64) -> f64 {
        if self.phases.is_empty() {
            return (to_s - from_s).max(0.0) / 60.0 * newest.per_minute;
        }
        // An incident that goes on after its last phase is still in that phase.
        let ends = self.phases.iter().skip(1).map(|next| next.start_s).chain([f64::INFINITY]);
        let parts = self.phases.iter().zip(ends).map(|(phase, end_s)| {
            let seconds = (end_s.min(to_s) - phase.start_s.max(from_s)).max(0.0);
            let rate = self.rates.0.get(&phase.name).or_else(|| planned.0.get(&phase.name));
            seconds / 60.0 * rate.copied().unwrap_or_default()
        });
        parts.sum()
    }
}

/// A sum of money in whole cents; unchanged if it is too large for that.
fn cents(total: f64) -> f64 {
    let cents = (total * 100.0).round() / 100.0;
    if cents.is_finite() { cents } else { total }
}
