//! The list of all rules, and what each of them found.

use super::finding::{Finding, Findings};

/// A rule that a stream must keep.
#[derive(Debug)]
pub struct Rule {
    /// The rule's name on the command line.
    pub name: &'static str,
    /// What the rule requires, in one line.
    pub meaning: &'static str,
    /// A finding of the rule, as an example.
    pub example: &'static str,
    /// The limits that `--limit` sets for it.
    pub limits: &'static [&'static str],
}

macro_rules! rules {
    ($($id:ident $name:literal $meaning:literal $example:literal $limits:expr;)+) => {
        /// The rules, in the order in which their results are shown.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(super) enum RuleId { $($id,)+ }

        /// All rules, in the order in which their results are shown.
        pub const RULES: &[Rule] = &[
            $(Rule { name: $name, meaning: $meaning, example: $example, limits: $limits },)+
        ];

        impl RuleId {
            pub(super) const ALL: &[Self] = &[$(Self::$id,)+];
        }
    };
}

rules! {
    Connection "connection"
        "each connection lasts until the validator ends it, and every message is text of at most 1 MiB"
        "the server ended the connection after 4.1 s with code 1011" &[];
    Greeting "greeting"
        "stream_opened is the first message of a connection, comes once, and agrees with itself and with the events"
        "the first message is heartbeat; expected stream_opened" &[];
    Envelope "envelope"
        "every message is a CloudEvents 1.0 event of at most 64 KiB with the attributes that the contract requires"
        "the attribute index is missing" &[];
    Schema "schema"
        "every payload matches the JSON Schema of its type"
        "agent_action: confidence is 1.5; expected at most 1" &[];
    Order "order"
        "positions rise, and the index of an incident rises with them"
        "position 31 comes after 32; positions rise" &[];
    Gap "gap"
        "no position is missing between the first announced and the last received one, and no incident has a gap in its indexes"
        "positions 40 to 42 are missing" &[];
    Duplicate "duplicate"
        "no position and no index of an incident arrives twice"
        "position 40 arrived twice" &[];
    Clock "clock"
        "time never falls, the planned seconds of an incident never go back, and time is near the local clock (with clock.skew)"
        "the time goes back from 10:00:41 to 10:00:40" &["clock.skew"];
    Lifecycle "lifecycle"
        "an incident starts once and first, is resolved once and last, is a drill or real all through; its milestones come once and in order; its actions finish (validate requires a resolution only of the incident that it waited for)"
        "database-outage-x7k2p has 3 events after its resolution" &[];
    Phases "phases"
        "the announced phases have different names and follow one another; the events of an incident go through them in order and, in a drill, within their seconds"
        "the phase goes back from \"resolve\" to \"detect\"" &[];
    Declared "declared"
        "a drill announces its agents and metrics before they appear, and its root cause is one of its hypotheses"
        "agent \"nobody\" was not announced" &[];
    Cost "cost"
        "the total never falls, keeps its currency and, in a drill, grows up to the final cost at the rates of the phases, each of which has one"
        "the total falls from 120.5 to 1" &[];
    Confidence "confidence"
        "the probabilities in an event sum to at most 1, one for each hypothesis, a hypothesis keeps its claim, and a forecast has p10 ≤ p50 ≤ p90"
        "the probabilities of the hypotheses sum to 1.2; expected at most 1" &[];
    Tally "tally"
        "the resolution agrees with itself and with the events: its number of actions, its durations, its peak of affected users and, in a drill, that it has a cost if samples have one"
        "users_peak is 1, but a sample has 48000 affected users" &[];
    Resume "resume"
        "after a reconnect the server sends exactly the events that follow, unchanged"
        "after the cut at position 40, 1 event is missing" &[];
    FanOut "fan-out"
        "all clients get the same events, also while one of them reads nothing"
        "client 3 got another event at position 17" &[];
    Positions "positions"
        "text that is not a position is refused with 400; a position from which the stream can't be resumed gets a reset with its reason"
        "the position \"17\" was accepted; expected the HTTP status 400" &[];
    Expect "expect"
        "the incident does what the scenario's [expect] says"
        "the incident was detected after 9.0 s; allowed is at most 5s" &[];
    Pacing "pacing"
        "live events arrive when they are due (needs arrival times: --url or --real-time)"
        "the event arrived 0.612 s late; 0.250 s is allowed" &["pacing.late"];
    Latency "latency"
        "live events arrive soon after their time (needs a limit, and clocks that agree)"
        "99 of 100 live events took up to 0.080 s to arrive; 0.050 s is allowed" &["latency.p50", "latency.p95", "latency.p99", "latency.max"];
    Silence "silence"
        "an open incident has no pause longer than the max_silence of [expect], or than silence.longest (needs arrival times)"
        "no event of the incident arrived for 12.000 s; 10.100 s is allowed" &["silence.longest"];
    Heartbeat "heartbeat"
        "a message arrives at least every 2.5 heartbeat intervals, and heartbeats name the stream's newest position (needs arrival times)"
        "the heartbeat's head is 42, but the last event was 40" &["heartbeat.intervals"];
}

impl RuleId {
    pub(super) fn rule(self) -> &'static Rule {
        &RULES[self as usize]
    }
}

/// What all rules found so far.
#[derive(Debug)]
pub(super) struct Found {
    rules: Vec<Findings>,
    selected: Vec<bool>,
}

impl Found {
    pub(super) fn new(selected: impl Fn(&str) -> bool) -> Self {
        Self {
            rules: RuleId::ALL.iter().map(|_| Findings::default()).collect(),
            selected: RULES.iter().map(|rule| selected(rule.name)).collect(),
        }
    }

    pub(super) fn add(&mut self, rule: RuleId, finding: Finding) {
        self.rules[rule as usize].add(finding);
    }

    /// Whether the rule has this finding, or so many that one more says nothing.
    pub(super) fn knows(&self, rule: RuleId, finding: &Finding) -> bool {
        self.rules[rule as usize].knows(finding)
    }

    /// How many findings the rule has.
    pub(super) fn count(&self, rule: RuleId) -> u64 {
        self.rules[rule as usize].count()
    }

    /// Counts something that the rule has judged.
    pub(super) fn judged(&mut self, rule: RuleId) {
        self.rules[rule as usize].judged += 1;
    }

    /// The selected rules with their findings.
    pub(super) fn into_selected(self) -> impl Iterator<Item = (RuleId, Findings)> {
        let both = RuleId::ALL.iter().copied().zip(self.rules);
        both.zip(self.selected).filter(|(_, selected)| *selected).map(|(both, _)| both)
    }
}
