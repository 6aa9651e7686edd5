//! How much memory a state takes: whoever keeps many bounds them by it.

use std::mem::size_of;

use super::state::{AgentState, ForecastState, HypothesisState, IncidentState};
use crate::contract::{Evidence, Phase};

/// What a text or an entry of a map takes beside its bytes.
const ENTRY: usize = 48;

fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> usize {
    texts.into_iter().map(|text| ENTRY + text.len()).sum()
}

impl IncidentState {
    /// About the bytes that it takes.
    pub fn bytes(&self) -> usize {
        let phases = self.phases.iter().map(|phase| size_of::<Phase>() + phase.name.len());
        let hypotheses = self
            .hypotheses
            .iter()
            .map(|hypothesis| size_of::<HypothesisState>() + hypothesis.id.len() + hypothesis.claim.len());
        let forecasts = self.forecasts.iter().map(|ForecastState { forecast, .. }| {
            size_of::<ForecastState>() + forecast.quantity.len() + forecast.unit.len()
        });
        let resolution = self.resolution.as_ref().map_or(0, |resolution| {
            texts([&resolution.summary]) + texts(&resolution.root_cause) + texts(&resolution.followups)
        });
        size_of::<Self>()
            + texts([&self.id, &self.title])
            + texts(&self.services)
            + texts(&self.phase)
            + phases.sum::<usize>()
            + self.now.as_ref().map_or(0, |now| texts([&now.agent, &now.summary]))
            + self.agents.iter().map(agent).sum::<usize>()
            + hypotheses.sum::<usize>()
            + forecasts.sum::<usize>()
            + texts(self.units.keys())
            + texts(self.units.values())
            + texts(self.metrics.keys())
            + resolution
            + self.run.as_ref().map_or(0, |run| texts(run.settings.keys()) + texts(run.settings.values()))
    }
}

fn agent(agent: &AgentState) -> usize {
    let evidence = agent.evidence.iter().map(|evidence| {
        let text = evidence.text.as_ref().map_or(0, String::len);
        size_of::<Evidence>() + evidence.kind.len() + evidence.reference.len() + text
    });
    size_of::<AgentState>()
        + texts([&agent.id, &agent.role])
        + texts(&agent.action)
        + texts(&agent.summary)
        + texts(&agent.confidence_in)
        + evidence.sum::<usize>()
}
