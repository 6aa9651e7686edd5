//! The rules `pacing` and `silence`, for one incident: when its events arrive.

use std::collections::BTreeMap;
use std::time::Duration;

use super::announced::Announced;
use super::context::Context;
use super::expected::Expected;
use super::finding::{Finding, Place};
use super::frame::Frame;
use super::rules::{Found, RuleId};
use crate::contract::Message;

/// How many seconds a timer and the network may add to a silence.
const SLACK: f64 = 0.1;

/// How many of the latest events are remembered. Which events are late is known only at the end, when the most punctual
/// one is known.
const LATEST: usize = 100;

/// The delays of an incident's live events. An event with the shortest delay is taken as punctual; the delays of the
/// others are measured against it.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    events: u64,
    shortest: Option<f64>,
    /// The longest delays in microseconds, with the frame.
    longest: BTreeMap<(i64, usize), Place>,
}

impl Pacing {
    pub(super) fn see(&mut self, announced: Option<&Announced>, message: &Message, frame: &Frame) {
        // The event itself says that it was published late.
        let late = matches!(message, Message::AgentAction(action) if action.late_s.is_some());
        // Events of a real incident have no planned second, so they are not checked.
        let (Some(arrival), Some(offset_s), Some(announced)) = (frame.arrival, message.offset_s(), announced)
        else {
            return;
        };
        // What was added to a drill was not planned.
        if late || message.origin().is_some() {
            return;
        }
        let delay = arrival.as_secs_f64() - announced.screen_s(offset_s) / announced.speed;
        self.events += 1;
        self.shortest = Some(self.shortest.map_or(delay, |shortest| shortest.min(delay)));
        self.longest.insert(((delay * 1e6) as i64, frame.line), frame.place());
        if self.longest.len() > LATEST {
            self.longest.pop_first();
        }
    }

    /// Judges the incident. Returns the longest delay, in seconds.
    pub(super) fn finish(&self, context: &Context, found: &mut Found) -> f64 {
        let Some(shortest) = self.shortest.filter(|_| self.events > 1) else { return 0.0 };
        let allowed = context.limits.late.as_secs_f64();
        (0..self.events).for_each(|_| found.judged(RuleId::Pacing));
        for ((delay, _), place) in &self.longest {
            let late = *delay as f64 / 1e6 - shortest;
            if late > allowed {
                let text = format!("the event arrived {late:.3} s late; {allowed:.3} s is allowed");
                let hint = "--limit pacing.late=DURATION allows more";
                found.add(RuleId::Pacing, Finding::new(text).place(place).hint(hint));
            }
        }
        self.longest.last_key_value().map_or(0.0, |((delay, _), _)| *delay as f64 / 1e6 - shortest)
    }
}

/// The pauses between the events of an incident.
#[derive(Debug, Default)]
pub(super) struct Silence {
    last: Option<(Duration, Place)>,
    pub(super) longest: f64,
    /// What was found. Events that are late are found too, and may be why.
    findings: Vec<Finding>,
}

impl Silence {
    /// Takes note of an event. A replayed event happened before it arrived, so the silence before it says nothing, and
    /// neither does one in which an event was lost.
    pub(super) fn see(&mut self, frame: &Frame, counts: bool, allowed: Option<f64>, found: &mut Found) {
        let Some(arrival) = frame.arrival else { return };
        if counts {
            self.judge(arrival, &frame.place(), allowed, "", found);
        }
        self.last = Some((arrival, frame.place()));
    }

    /// Judges the silence after the last event of an incident that is open.
    pub(super) fn end(&mut self, ended: Option<Duration>, allowed: Option<f64>, found: &mut Found) {
        if let (Some(ended), Some((_, place))) = (ended, self.last.clone()) {
            self.judge(ended, &place, allowed, " after the last event", found);
        }
    }

    /// Reports what was found, unless events are late, which is why.
    pub(super) fn finish(&mut self, is_late: bool, found: &mut Found) {
        let findings = std::mem::take(&mut self.findings).into_iter().filter(|_| !is_late);
        findings.for_each(|finding| found.add(RuleId::Silence, finding));
    }

    fn judge(&mut self, until: Duration, place: &Place, allowed: Option<f64>, when: &str, found: &mut Found) {
        let (Some(allowed), Some((since, _))) = (allowed, &self.last) else { return };
        let silent = until.as_secs_f64() - since.as_secs_f64();
        found.judged(RuleId::Silence);
        self.longest = self.longest.max(silent);
        if silent > allowed {
            let text = format!(
                "no event of the incident arrived for {silent:.3} s{when}; {allowed:.3} s is allowed"
            );
            if self.findings.len() < LATEST {
                self.findings.push(Finding::new(text).place(place));
            }
        }
    }
}

/// The longest silence that is allowed in an incident, in seconds.
pub(super) fn allowed_silence(context: &Context, expected: Option<&Expected>, speed: f64) -> Option<f64> {
    if !context.arrivals {
        return None;
    }
    if let Some(longest) = context.limits.silence {
        return Some(longest.as_secs_f64());
    }
    Some(expected?.expect.max_silence?.secs() / speed + SLACK)
}
