//! The list of all rules, and checking a transcript against them.

use super::context::Context;
use super::transcript::Transcript;
use super::verdict::Verdict;
use super::{arrival, confidence, cost, envelope, expect, lifecycle, resume, schema, sequence, tally};

/// A rule that a stream must keep.
pub struct Rule {
    /// The rule's name on the command line.
    pub name: &'static str,
    /// What the rule requires, in one line.
    pub meaning: &'static str,
    judge: fn(&Transcript, &Context) -> Verdict,
}

/// All rules, in the order in which their results are shown.
pub const RULES: &[Rule] = &[
    Rule {
        name: "envelope",
        meaning: "every frame is a CloudEvents 1.0 event of at most 64 KiB with the attributes that the contract requires",
        judge: envelope::judge,
    },
    Rule {
        name: "schema",
        meaning: "every payload matches the JSON Schema of its type",
        judge: schema::judge,
    },
    Rule {
        name: "order",
        meaning: "positions rise, and neither times nor planned seconds go back within an incident",
        judge: sequence::order,
    },
    Rule {
        name: "gap",
        meaning: "no position is missing between the first announced and the last received one, and no incident has a gap in its indexes",
        judge: sequence::gap,
    },
    Rule {
        name: "duplicate",
        meaning: "no position and no index of an incident arrives twice",
        judge: sequence::duplicate,
    },
    Rule {
        name: "lifecycle",
        meaning: "an incident starts once and is resolved once, with all other events in between; its phases are announced and come in order; its actions finish (validate requires a resolution only of the incident that it waited for)",
        judge: lifecycle::judge,
    },
    Rule {
        name: "cost",
        meaning: "the total never falls and, in a drill, grows at the announced rates up to the final cost",
        judge: cost::judge,
    },
    Rule {
        name: "confidence",
        meaning: "the probabilities in an event sum to at most 1, a hypothesis keeps its claim, and a forecast has p10 ≤ p50 ≤ p90",
        judge: confidence::judge,
    },
    Rule {
        name: "tally",
        meaning: "the resolution agrees with the events: its number of actions, its durations, and its peak of affected users",
        judge: tally::judge,
    },
    Rule {
        name: "resume",
        meaning: "after a reconnect the server sends exactly the events that follow, unchanged",
        judge: resume::judge,
    },
    Rule {
        name: "expect",
        meaning: "the incident does what the scenario's [expect] says",
        judge: expect::judge,
    },
    Rule {
        name: "pacing",
        meaning: "live events arrive when they are due (needs arrival times: --url or --real-time)",
        judge: arrival::pacing,
    },
    Rule {
        name: "silence",
        meaning: "an open incident has no pause longer than the max_silence of [expect] (needs arrival times)",
        judge: arrival::silence,
    },
    Rule {
        name: "heartbeat",
        meaning: "a message arrives at least every 2.5 heartbeat intervals, and no heartbeat shows lost events (needs arrival times)",
        judge: arrival::heartbeat,
    },
];

/// Checks a transcript against the rules whose names `selected` accepts.
pub fn check(
    transcript: &Transcript,
    context: &Context,
    selected: impl Fn(&str) -> bool,
) -> Vec<(&'static Rule, Verdict)> {
    let rules = RULES.iter().filter(|rule| selected(rule.name));
    rules.map(|rule| (rule, (rule.judge)(transcript, context))).collect()
}
