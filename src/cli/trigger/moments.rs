//! The result of a phase: the one action that its line shows.

use colored::Colorize;

use crate::cli::format;
use crate::cli::out::{Painted, painted};
use crate::contract::Status;
use crate::report::{IncidentState, Marks, rejection};

/// Follows an incident and keeps the most important action of its current phase.
#[derive(Default)]
pub(super) struct Moments {
    phase: Option<String>,
    marks: Marks,
    /// An action that reaches a milestone ranks highest, then one with a confidence, then the rest; of equals the last.
    best: Option<(u8, Moment)>,
}

/// One action as a line shows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Moment {
    pub(super) at_s: f64,
    pub(super) confidence: Option<f64>,
    pub(super) status: Status,
    pub(super) summary: String,
}

impl Moments {
    /// Takes the state after an event. Returns the action of the event, if it is one, and the phase that ended with the
    /// event, with its most important action.
    pub(super) fn take(
        &mut self,
        incident: &IncidentState,
    ) -> (Option<Moment>, Option<(String, Option<Moment>)>) {
        let ended = (self.phase != incident.phase).then(|| self.end()).flatten();
        self.phase.clone_from(&incident.phase);
        let reached = std::mem::replace(&mut self.marks, incident.marks.clone()) != incident.marks;
        let moment = incident.now.as_ref().and_then(|now| {
            let agent = incident.agents.iter().find(|agent| agent.id == now.agent)?;
            let beliefs = incident.hypotheses.iter().map(|known| (known.claim.as_str(), known.p));
            let action = agent.action.as_deref().unwrap_or_default();
            let belief = rejection(action, agent.confidence, beliefs);
            let aside = belief.as_ref().map(|belief| format!(" ({belief})")).unwrap_or_default();
            // Metrics change the state too, but are not an action.
            let at_s = incident.offset_s.filter(|at_s| agent.since_s == Some(*at_s))?;
            Some(Moment {
                at_s,
                confidence: agent.confidence.filter(|_| belief.is_none()),
                status: now.status,
                summary: now.summary.clone() + &aside,
            })
        });
        if let Some(moment) = &moment {
            let rank = if reached { 2 } else { u8::from(moment.confidence.is_some()) };
            if self.best.as_ref().is_none_or(|(best, _)| rank >= *best) {
                self.best = Some((rank, moment.clone()));
            }
        }
        (moment, ended)
    }

    /// The current phase.
    pub(super) fn phase(&self) -> Option<&str> {
        self.phase.as_deref()
    }

    /// Ends the current phase and returns it with its most important action.
    pub(super) fn end(&mut self) -> Option<(String, Option<Moment>)> {
        let best = self.best.take().map(|(_, moment)| moment);
        self.phase.take().map(|phase| (phase, best))
    }
}

impl Moment {
    /// `00:12  96%  14 alerts correlated into one incident`
    pub(super) fn line(&self) -> Painted {
        painted![self.begin(), self.summary]
    }

    /// The same of an action that failed.
    pub(super) fn failed(&self) -> Painted {
        painted![self.begin(), "failed:".red(), " ", self.summary]
    }

    fn begin(&self) -> String {
        format!("{}  {}  ", format::clock(self.at_s), format::percent(self.confidence))
    }
}
