//! The verdicts in words: what a rule that passed has checked, and why a rule had nothing to check.

use super::finding::Verdict;
use super::judge::Judge;
use super::rules::{Found, Rule, RuleId};
use crate::scenario::Expect;

impl Judge {
    /// The verdicts of all selected rules.
    pub(super) fn verdicts(mut self) -> Vec<(&'static Rule, Verdict)> {
        let found = std::mem::replace(&mut self.found, Found::new(|_| false));
        let rules: Vec<_> = found.into_selected().collect();
        let verdicts = rules.into_iter().map(|(rule, findings)| {
            let verdict = findings.verdict(|judged| self.passed(rule, judged), || self.unchecked(rule));
            (rule.rule(), verdict)
        });
        verdicts.collect()
    }

    /// What a rule that passed has checked.
    fn passed(&self, rule: RuleId, judged: u64) -> String {
        if let Some(strangers) = &self.strangers {
            return strangers.passed(
                rule,
                judged,
                &self.context,
                &self.numbering,
                &self.clock,
                &self.further,
            );
        }
        match rule {
            RuleId::Connection => "the connection lasted".to_owned(),
            RuleId::Greeting => "stream_opened came first and once".to_owned(),
            RuleId::Envelope if self.foreign > 0 => {
                format!("{judged} messages are CloudEvents 1.0, {} of them of other senders", self.foreign)
            }
            RuleId::Envelope => format!("{judged} messages are CloudEvents 1.0"),
            RuleId::Schema => format!("{judged} payloads match the schema"),
            RuleId::Order => format!("positions {} rise", self.numbering.ranges()),
            RuleId::Gap => format!("{} events, none missing", self.events),
            RuleId::Duplicate => format!("{} events, each once", judged.min(self.events)),
            RuleId::Clock if self.clock.timeless > 0 => {
                format!("{judged} times, none goes back; {} events have no time", self.clock.timeless)
            }
            RuleId::Clock => format!("{judged} times, none goes back"),
            RuleId::Lifecycle => self.incidents.outcomes.summary(),
            RuleId::Phases => format!("{judged} events are in their phases"),
            RuleId::Declared => format!("{judged} events name only what was announced"),
            RuleId::Cost => format!("{judged} totals never fall, and grow at the rates that are known"),
            RuleId::Confidence => format!("{judged} actions with confidences, hypotheses or forecasts"),
            RuleId::Tally => {
                let agree = match judged {
                    1 => "the resolution agrees with the events".to_owned(),
                    many => format!("{many} resolutions agree with the events"),
                };
                match self.incidents.outcomes.over().saturating_sub(judged) {
                    0 => agree,
                    1 => format!("{agree}; 1 incident was not received as a whole"),
                    many => format!("{agree}; {many} incidents were not received as a whole"),
                }
            }
            RuleId::Resume => self.by_position.resume_summary(&self.further),
            RuleId::FanOut => self.by_position.fan_out_summary(&self.further, judged),
            RuleId::Positions => format!("{judged} positions got the answer that they must get"),
            RuleId::Expect => {
                let origin = self.context.expect.as_ref().map_or("", |expected| expected.origin.as_str());
                match self.partly_expected() {
                    None => format!("the [expect] of {origin} is met"),
                    Some(partly) => format!("the [expect] of {origin} is met so far; {partly}"),
                }
            }
            RuleId::Pacing => {
                format!("{judged} live events, at most {:.1} ms late", self.incidents.longest_delay * 1e3)
            }
            RuleId::Latency => self.clock.latencies().unwrap_or_default(),
            RuleId::Silence => format!("the longest silence was {:.1} s", self.incidents.longest_silence),
            RuleId::Heartbeat => self.control.heartbeat_summary(self.context.arrivals),
        }
    }

    /// Why a rule had nothing to check.
    fn unchecked(&self, rule: RuleId) -> String {
        if let Some(strangers) = &self.strangers {
            return strangers.unchecked(rule, &self.context, &self.clock);
        }
        let arrivals = self.context.arrivals;
        let is_recording = self.context.began.is_none();
        let text = match rule {
            RuleId::Connection => "a recording has no connection",
            RuleId::Greeting | RuleId::Resume | RuleId::FanOut | RuleId::Positions if is_recording => {
                "a recording has no connection"
            }
            RuleId::Greeting => "no stream_opened arrived",
            RuleId::Envelope => "no message arrived",
            RuleId::Schema => "no payload arrived",
            RuleId::Order | RuleId::Gap | RuleId::Duplicate => "no two events have a position",
            RuleId::Clock => "no two events have a time",
            RuleId::Lifecycle => "no event of an incident arrived",
            RuleId::Phases => "no event is in an announced phase",
            RuleId::Declared => "only a drill that a scenario plays announces everything",
            RuleId::Cost => "no two messages have a cost",
            RuleId::Confidence => "no action has a confidence, a hypothesis or a forecast",
            RuleId::Tally => "no incident was received as a whole, from its start to its resolution",
            RuleId::Resume if self.by_position.has_uncompared(RuleId::Resume) => {
                "nothing that came after a cut can be compared"
            }
            RuleId::Resume => "the connection was not cut and resumed",
            RuleId::FanOut if self.by_position.has_uncompared(RuleId::FanOut) => {
                "no other client got anything that can be compared"
            }
            RuleId::FanOut => "no other client was connected",
            RuleId::Positions if self.by_position.has_uncompared(RuleId::Positions) => {
                "what was answered to a wrong position can't be read"
            }
            RuleId::Positions => "no wrong position was tried",
            RuleId::Expect => return self.unexpected(),
            RuleId::Pacing | RuleId::Latency | RuleId::Silence | RuleId::Heartbeat if !arrivals => {
                "arrival times are only checked with --real-time or --url"
            }
            RuleId::Pacing => "there are fewer than two live events with a planned second",
            RuleId::Latency => {
                return match self.clock.latencies() {
                    Some(seen) => format!("no limit is set, as in --limit latency.p99=50ms; {seen}"),
                    None => "no live event arrived".to_owned(),
                };
            }
            RuleId::Silence => {
                let limited = self.context.limits.silence.is_some()
                    || self
                        .context
                        .expect
                        .as_ref()
                        .is_some_and(|expected| expected.expect.max_silence.is_some());
                if limited {
                    "no incident has two live events with arrival times"
                } else {
                    "[expect] has no max_silence, and --limit silence.longest is not set"
                }
            }
            RuleId::Heartbeat if self.control.greeting.is_none() => "stream_opened is missing",
            RuleId::Heartbeat => "validate listened for too short a time to miss a heartbeat",
        };
        text.to_owned()
    }

    fn unexpected(&self) -> String {
        match &self.context.expect {
            None => "there are no expectations: use a scenario with [expect], or --expect FILE".to_owned(),
            Some(expected) if expected.expect == Expect::default() => {
                format!("the [expect] of {} is empty", expected.origin)
            }
            Some(expected) => match self.partly_expected() {
                Some(partly) => format!("nothing that is expected can be compared: {partly}"),
                None => format!("no incident of {} was received from its start", expected.scenario),
            },
        }
    }

    /// How many incidents could be compared only in part with what is expected, and why.
    fn partly_expected(&self) -> Option<String> {
        match self.incidents.partly_expected {
            0 => None,
            1 => Some("1 incident is open, was cancelled or lacks events".to_owned()),
            many => Some(format!("{many} incidents are open, were cancelled or lack events")),
        }
    }
}
