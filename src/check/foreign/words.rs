//! The verdicts about streams of other programs in words.

use super::super::clock::{Clock, lacking};
use super::super::context::Context;
use super::super::further::Further;
use super::super::numbering::Numbering;
use super::super::rules::RuleId;
use super::fold::Strangers;

impl Strangers {
    /// What a rule that passed has checked.
    pub(in crate::check) fn passed(
        &self,
        rule: RuleId,
        judged: u64,
        context: &Context,
        numbering: &Numbering,
        clock: &Clock,
        further: &Further,
    ) -> String {
        match rule {
            RuleId::Schema if context.contract.is_some() => format!("{judged} messages match the contract"),
            RuleId::Connection => "the connection lasted".to_owned(),
            RuleId::Envelope => format!("{judged} messages are CloudEvents 1.0"),
            RuleId::Schema if !self.profile.names_fields() => format!("{judged} messages are JSON"),
            RuleId::Schema => format!("{judged} messages have the fields that the profile names"),
            RuleId::Order => format!("sequence numbers {} rise", numbering.ranges()),
            RuleId::Gap => format!("{judged} sequence numbers, none missing"),
            RuleId::Duplicate => format!("{} events, each once", judged.min(self.events)),
            RuleId::Clock if !self.profile.is_rising => format!("{judged} times are near the local clock"),
            RuleId::Clock if clock.timeless > 0 => {
                format!("{judged} times, none goes back; {} events have no time", clock.timeless)
            }
            RuleId::Clock => format!("{judged} times, none goes back"),
            RuleId::Lifecycle => self.lives.summary(),
            RuleId::Resume => self.in_order.resume_summary(further),
            RuleId::FanOut => self.in_order.fan_out_summary(further, judged),
            RuleId::Latency => clock.latencies().unwrap_or_default(),
            RuleId::Silence => format!("the longest silence was {:.1} s", self.quiet.longest.as_secs_f64()),
            _ => format!("{judged} checked"),
        }
    }

    /// Why a rule had nothing to check.
    pub(in crate::check) fn unchecked(&self, rule: RuleId, context: &Context, clock: &Clock) -> String {
        let profile = &self.profile;
        let arrivals = context.arrivals;
        let text = match rule {
            RuleId::Connection => "a recording has no connection",
            RuleId::Envelope if profile.envelope.is_some() => "no message arrived",
            RuleId::Order | RuleId::Gap if profile.sequence.is_none() => {
                "the profile names no sequence number"
            }
            RuleId::Gap if !profile.is_gapless => "the profile does not say that the sequence is gapless",
            RuleId::Duplicate if profile.sequence.is_none() && !profile.is_unique => {
                "the profile names neither a sequence number nor an id that is unique"
            }
            RuleId::Order | RuleId::Gap if profile.key.is_some() => {
                "no two events of a key have a sequence number"
            }
            RuleId::Order | RuleId::Gap => "no two events have a sequence number",
            RuleId::Duplicate if profile.key.is_some() => {
                "no two events of a key have a sequence number or an id"
            }
            RuleId::Duplicate => "no two events have a sequence number or an id",
            RuleId::Clock | RuleId::Latency if profile.time.is_none() => "the profile names no time",
            RuleId::Clock if !profile.is_rising && context.limits.skew.is_some() => lacking(context),
            RuleId::Clock if !profile.is_rising => {
                "the profile says that times may fall, and --limit clock.skew is not set"
            }
            RuleId::Clock if profile.key.is_some() => "no two events of a key have a time",
            RuleId::Clock => "no two events have a time",
            RuleId::Lifecycle if !profile.has_lifecycle() => {
                "the profile names no types that begin or end something"
            }
            RuleId::Lifecycle if self.lives.is_empty() => "no event has a subject",
            RuleId::Lifecycle => "no event has a type that begins or ends something",
            RuleId::Resume if profile.resume.is_none() => "the profile has no resume template",
            RuleId::Resume if self.in_order.has_uncompared(rule) => {
                "nothing that came after a cut can be compared"
            }
            RuleId::Resume => "the connection was not cut and resumed",
            RuleId::FanOut | RuleId::Schema if self.events == 0 => "no event arrived",
            RuleId::FanOut if self.in_order.has_uncompared(rule) => {
                "no other client got anything that can be compared"
            }
            RuleId::FanOut => "no other client was connected",
            RuleId::Latency | RuleId::Silence if !arrivals => {
                "arrival times are only checked with --url or --sse"
            }
            RuleId::Latency => {
                return match clock.latencies() {
                    Some(seen) => format!("no limit is set, as in --limit latency.p99=50ms; {seen}"),
                    None => "no live event with a time arrived".to_owned(),
                };
            }
            RuleId::Silence if profile.silence.is_none() && context.limits.silence.is_none() => {
                "the profile promises no silence, and --limit silence.longest is not set"
            }
            RuleId::Schema if !profile.is_json => "the profile names no fields, and takes what is no JSON",
            RuleId::Schema | RuleId::Silence => "no message arrived",
            _ => "not part of the profile",
        };
        text.to_owned()
    }
}
