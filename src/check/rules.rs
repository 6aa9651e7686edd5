//! Every rule by its name, and judging a transcript by them.

use super::context::Context;
use super::transcript::Transcript;
use super::verdict::Verdict;
use super::{arrival, confidence, cost, envelope, expect, lifecycle, resume, schema, sequence, tally};

/// One thing that a stream has to keep.
pub struct Rule {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it means, in one line.
    pub meaning: &'static str,
    judge: fn(&Transcript, &Context) -> Verdict,
}

/// Every rule, in the order in which results are shown.
pub const RULES: &[Rule] = &[
    Rule {
        name: "envelope",
        meaning: "every frame is a CloudEvents 1.0 event of at most 64 KiB and has the attributes that the contract requires",
        judge: envelope::judge,
    },
    Rule {
        name: "schema",
        meaning: "every payload matches the JSON Schema of its type",
        judge: schema::judge,
    },
    Rule {
        name: "order",
        meaning: "positions rise; times never fall; planned seconds never fall within an incident",
        judge: sequence::order,
    },
    Rule {
        name: "gap",
        meaning: "no position is missing, from the first one announced to the last one received, and no index of an incident is missing",
        judge: sequence::gap,
    },
    Rule {
        name: "duplicate",
        meaning: "no position arrives twice, and no index of an incident arrives twice",
        judge: sequence::duplicate,
    },
    Rule {
        name: "lifecycle",
        meaning: "an incident starts once, first; its actions fall into announced phases and finish; it is resolved once, last (only the incident that validate waited for has to be resolved)",
        judge: lifecycle::judge,
    },
    Rule {
        name: "cost",
        meaning: "the total never falls and, in a drill, grows at the announced rates up to the final cost",
        judge: cost::judge,
    },
    Rule {
        name: "confidence",
        meaning: "the beliefs of an event sum to at most 1, a hypothesis keeps its claim, and a forecast has p10 ≤ p50 ≤ p90",
        judge: confidence::judge,
    },
    Rule {
        name: "tally",
        meaning: "the resolution agrees with the stream: its count of actions, its durations up to the marks, and its peak of affected users",
        judge: tally::judge,
    },
    Rule {
        name: "resume",
        meaning: "after a cut, the server sends exactly the events that follow, unchanged",
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
        meaning: "an open incident is never silent for longer than max_silence in [expect] (needs arrival times)",
        judge: arrival::silence,
    },
    Rule {
        name: "heartbeat",
        meaning: "a message arrives at least every 2.5 heartbeat intervals, and no heartbeat shows that events were lost (needs arrival times)",
        judge: arrival::heartbeat,
    },
];

/// Judges a transcript by the rules that `wanted` picks by name.
pub fn check(
    transcript: &Transcript,
    context: &Context,
    wanted: impl Fn(&str) -> bool,
) -> Vec<(&'static Rule, Verdict)> {
    let picked = RULES.iter().filter(|rule| wanted(rule.name));
    picked.map(|rule| (rule, (rule.judge)(transcript, context))).collect()
}
