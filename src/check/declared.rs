//! The rule `declared`, for one incident: a scenario announces what appears in it. In a real incident agents may join
//! later, and nobody may know the metrics in advance.

use super::announced::Announced;
use super::finding::{Finding, quoted};
use super::frame::Frame;
use super::names::Names;
use super::rules::{Found, RuleId};
use crate::contract::Message;

#[derive(Debug, Default)]
pub(super) struct Declared {
    hypotheses: Names<()>,
    /// Names that were reported, so that each is reported once.
    reported: Names<()>,
}

impl Declared {
    pub(super) fn see(
        &mut self,
        announced: &Announced,
        message: &Message,
        is_whole: bool,
        frame: &Frame,
        found: &mut Found,
    ) {
        // Whoever adds an action to a drill was not announced.
        if !announced.is_generated || message.origin().is_some() {
            return;
        }
        match message {
            Message::AgentAction(action) => {
                found.judged(RuleId::Declared);
                for belief in &action.hypotheses {
                    self.hypotheses.set(&belief.id, ());
                }
                if !announced.agents.contains(&action.agent) {
                    self.report("agent", &action.agent, "/data/agent", frame, found);
                }
            }
            Message::SystemMetrics(sample) => {
                found.judged(RuleId::Declared);
                for name in sample.metrics.keys().filter(|name| !announced.metrics.contains(*name)) {
                    let pointer = format!("/data/metrics/{}", name.replace('~', "~0").replace('/', "~1"));
                    self.report("metric", name, &pointer, frame, found);
                }
            }
            Message::IncidentResolved(resolved) => {
                let Some(cause) = resolved.root_cause.as_ref().filter(|_| is_whole) else { return };
                found.judged(RuleId::Declared);
                if !self.hypotheses.is_empty() && !self.hypotheses.is_full && !self.hypotheses.contains(cause)
                {
                    let text = format!("the root cause {} is not among the hypotheses", quoted(cause));
                    found.add(RuleId::Declared, Finding::new(text).at(frame).field("/data/root_cause"));
                }
            }
            Message::IncidentStarted(_) | Message::StreamOpened(_) | Message::Heartbeat(_) => {}
        }
    }

    /// Whether there were more names than are followed.
    pub(super) fn is_full(&self) -> bool {
        self.hypotheses.is_full || self.reported.is_full
    }

    fn report(&mut self, what: &str, name: &str, pointer: &str, frame: &Frame, found: &mut Found) {
        let key = format!("{what} {name}");
        if !self.reported.contains(&key) && self.reported.set(&key, ()) {
            let text = format!("{what} {} was not announced", quoted(name));
            let hint = "incident_started announces all agents and metrics of a drill";
            found.add(RuleId::Declared, Finding::new(text).at(frame).field(pointer).hint(hint));
        }
    }
}
