//! The rule `lifecycle`, for one incident: milestones, steps, and being a drill or real. `incident.rs` has its start and
//! end.

use super::finding::{Finding, Place, quoted};
use super::frame::Frame;
use super::names::Names;
use super::rules::{Found, RuleId};
use crate::contract::{AgentAction, Mark, Message, Outcome, Status};

#[derive(Debug, Default)]
pub(super) struct Lifecycle {
    /// Whether the incident is a drill, as its first event says.
    is_synthetic: Option<bool>,
    marks: Vec<Mark>,
    /// Attempts at steps that have begun and not ended.
    busy: Names<(String, Place)>,
}

impl Lifecycle {
    pub(super) fn see(
        &mut self,
        message: &Message,
        index: u64,
        frame: &Frame,
        is_generated: bool,
        found: &mut Found,
    ) {
        let synthetic = message.is_synthetic();
        let first = *self.is_synthetic.get_or_insert(synthetic);
        if synthetic != first {
            let text =
                format!("synthetic is {synthetic}; expected {first}, as in the first event of the incident");
            found.add(RuleId::Lifecycle, Finding::new(text).at(frame).field("/data/synthetic"));
        }
        let Message::AgentAction(action) = message else { return };
        if let Some(cause) = action.caused_by.filter(|cause| *cause >= index) {
            let text = format!("caused_by is {cause}; expected the index of an earlier event, below {index}");
            found.add(RuleId::Lifecycle, Finding::new(text).at(frame).field("/data/caused_by"));
        }
        for mark in &action.marks {
            self.mark(*mark, frame, is_generated, found);
        }
        self.attempt(action, frame);
    }

    fn mark(&mut self, mark: Mark, frame: &Frame, is_generated: bool, found: &mut Found) {
        let name = |mark: &Mark| mark.as_str();
        let wrong = if self.marks.contains(&mark) {
            Some(format!("the incident was {} before; a milestone comes once", name(&mark)))
        } else {
            // A real incident can be mitigated before anybody knows its cause.
            let later = self.marks.iter().find(|reached| is_generated && (**reached as u8) > mark as u8);
            later.map(|later| format!("the incident was {} before it was {}", name(later), name(&mark)))
        };
        match wrong {
            Some(text) => {
                found.add(RuleId::Lifecycle, Finding::new(text).at(frame).field("/data/marks"));
            }
            None => self.marks.push(mark),
        }
    }

    /// Notes that an attempt at a step began or ended.
    fn attempt(&mut self, action: &AgentAction, frame: &Frame) {
        let Some(step) = &action.step else { return };
        let key = format!("{} {step}", action.attempt.unwrap_or(1));
        if action.status == Status::InProgress {
            self.busy.set(&key, (quoted(step), frame.place()));
        } else {
            self.busy.remove(&key);
        }
    }

    /// Whether there were more steps than are followed.
    pub(super) fn is_full(&self) -> bool {
        self.busy.is_full
    }

    /// Judges the end of an incident that was received as a whole.
    pub(super) fn resolved(&mut self, outcome: Outcome, found: &mut Found) {
        if outcome == Outcome::Cancelled {
            return;
        }
        let mut open: Vec<_> = self.busy.drain().map(|(_, step)| step).collect();
        open.sort_by_key(|(_, place)| place.line);
        for (step, place) in open {
            let text = format!("step {step} began and never ended");
            found.add(RuleId::Lifecycle, Finding::new(text).place(&place));
        }
    }
}
