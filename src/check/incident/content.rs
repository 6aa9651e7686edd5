//! The content of an incident's events: each goes through the rules once the next two are there.

use super::super::course::Resolution;
use super::super::frame::Frame;
use super::super::rules::{Found, RuleId};
use super::super::seconds::next_two;
use super::{Held, Incident};
use crate::contract::{IncidentResolved, Message, offset_of};

impl Incident {
    /// Judges the content of the first event that is held. The others show whether its second can be right.
    pub(super) fn release(&mut self, found: &mut Found) {
        let Some(Held { frame, follows, is_paced }) = self.held.pop_front() else { return };
        if !follows || frame.message.is_none() {
            self.course.interrupt();
        }
        let next = next_two(self.held.iter().filter_map(|held| held.frame.message.as_ref()));
        self.content(&frame, next, is_paced, found);
    }

    fn content(&mut self, frame: &Frame, next: Option<(f64, f64)>, is_paced: bool, found: &mut Found) {
        let (Some(message), Some(head)) = (&frame.message, &frame.head) else { return };
        let planned = self.seconds.see(message, next, frame, found);
        let began = self.announced.as_ref().map(|announced| announced.impact_started_at);
        let offset_s = match (message.offset_s(), head.time) {
            (Some(_), _) => planned,
            (None, Some(time)) => offset_of(message, time, began),
            (None, None) => None,
        };
        found.judged(RuleId::Lifecycle);
        let index = head.index.unwrap_or(u64::MAX);
        let is_generated = self.announced.as_ref().is_some_and(|announced| announced.is_generated);
        let before = found.count(RuleId::Lifecycle);
        self.lifecycle.see(message, index, frame, is_generated, found);
        // What it finds also makes totals wrong.
        self.is_whole &= found.count(RuleId::Lifecycle) == before;
        self.confidence.see(message, frame, found);
        let is_sound = self.announced.as_ref().is_none_or(|announced| announced.is_sound);
        let before = found.count(RuleId::Cost);
        self.growth.see(self.announced.as_ref(), message, planned.filter(|_| is_sound), frame, found);
        let declared = found.count(RuleId::Declared);
        // If the second is why the cost is wrong, the event is not late too.
        if is_paced && planned.is_some() && is_sound && found.count(RuleId::Cost) == before {
            self.pacing.see(self.announced.as_ref(), message, frame);
        }
        if let Some(announced) = &self.announced {
            self.phases.see(announced, message, planned, frame, found);
            self.declared.see(announced, message, self.is_whole, frame, found);
            if let (true, Some(time)) = (announced.is_generated, head.time) {
                self.times.see(announced, message, time);
            }
        }
        if let Message::IncidentResolved(resolved) = message {
            self.resolve(resolved, offset_s, declared, frame, found);
            return;
        }
        self.is_timed &= offset_s.is_some();
        self.totals.see(message, offset_s.filter(|_| planned.is_some() || self.is_timed));
        if !is_sound {
            self.course.interrupt();
        }
        if offset_s.is_none() {
            self.course.interrupt();
        } else if let (Some(expected), Some(announced), Some(offset_s)) =
            (&self.expected, &self.announced, offset_s)
        {
            self.course.see(expected, announced, message, offset_s, frame, self.phases.is_doubtful);
        }
    }

    fn resolve(
        &mut self,
        resolved: &IncidentResolved,
        offset_s: Option<f64>,
        declared: u64,
        frame: &Frame,
        found: &mut Found,
    ) {
        self.outcome = Some(resolved.outcome);
        let Some(announced) = self.announced.as_ref() else { return };
        // The totals cannot be compared if events are missing, which other rules report.
        if self.is_whole {
            let before = found.count(RuleId::Lifecycle);
            self.lifecycle.resolved(resolved.outcome, found);
            self.is_whole = found.count(RuleId::Lifecycle) == before;
        }
        if self.is_whole {
            let second = resolved.offset_s.or(offset_s.filter(|_| self.is_timed));
            self.totals.compare(resolved, second, announced.is_generated, frame, found);
        }
        if let Some(expected) = &self.expected {
            if let Some(offset_s) = offset_s {
                self.course.see(
                    expected,
                    announced,
                    &Message::IncidentResolved(resolved.clone()),
                    offset_s,
                    frame,
                    self.phases.is_doubtful,
                );
            }
            let names_cause = found.count(RuleId::Declared) == declared;
            let end = Resolution { resolved, second: offset_s, frame, names_cause };
            let is_whole = self.is_whole && self.is_timed;
            self.course.finish(expected, &self.totals, Some(&end), true, is_whole, found);
        }
    }
}
