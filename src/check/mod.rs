//! The validator: rules over a recorded or live stream. Pure over (frame, arrival time): nothing here opens a
//! socket or reads a clock.

mod account;
mod arrival;
mod compiled;
mod confidence;
mod cost;
mod envelope;
mod expect;
mod lifecycle;
mod resume;
mod schema;
mod sequence;
mod tally;
mod transcript;

use std::time::Duration;

use crate::contract::Message;
use crate::scenario::Expect;

pub use compiled::{CompiledSchema, SchemaMismatch};
pub use transcript::{Frame, Parsed, Probe, Transcript};

/// One thing that a stream must keep.
pub struct Rule {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it means, in one line.
    pub meaning: &'static str,
    judge: fn(&Transcript, &Context) -> Outcome,
}

/// Every rule, in the order in which results are shown.
pub const RULES: &[Rule] = &[
    Rule {
        name: "envelope",
        meaning: "every frame is a CloudEvents 1.0 event of at most 64 KiB with all attributes that the contract wants",
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
        meaning: "every position that was promised comes, none between the first and the last is missing, no index of an incident either",
        judge: sequence::gap,
    },
    Rule {
        name: "duplicate",
        meaning: "no position and no index of an incident comes twice",
        judge: sequence::duplicate,
    },
    Rule {
        name: "lifecycle",
        meaning: "an incident starts once, acts within its phases, finishes what it began and is resolved once, last (others than the one that was waited for may stay open)",
        judge: lifecycle::judge,
    },
    Rule {
        name: "cost",
        meaning: "the total never falls and grows as its rates say, up to the final cost",
        judge: cost::judge,
    },
    Rule {
        name: "confidence",
        meaning: "beliefs sum to at most 1 and keep their claims; p10, p50 and p90 of a forecast rise",
        judge: confidence::judge,
    },
    Rule {
        name: "tally",
        meaning: "the resolution counts the actions, measures its durations to the marks and knows the most users that were seen",
        judge: tally::judge,
    },
    Rule {
        name: "resume",
        meaning: "after a cut the server sends exactly the events that follow, unchanged",
        judge: resume::judge,
    },
    Rule { name: "expect", meaning: "what the scenario's [expect] says holds", judge: expect::judge },
    Rule {
        name: "pacing",
        meaning: "live events arrive when they are due (needs arrival times: --url or --real-time)",
        judge: arrival::pacing,
    },
    Rule {
        name: "silence",
        meaning: "an open incident is never silent for longer than [expect] max_silence (needs arrival times)",
        judge: arrival::silence,
    },
    Rule {
        name: "heartbeat",
        meaning: "something arrives at least every 2.5 heartbeat intervals, and no heartbeat shows a lost tail (needs arrival times)",
        judge: arrival::heartbeat,
    },
];

/// What a stream is judged against.
#[derive(Debug, Clone)]
pub struct Context {
    /// What incidents of a scenario are held to.
    pub expect: Option<Expected>,
    /// Whether arrival times mean something: played in real time or by a foreign server.
    pub arrivals: bool,
    /// Which incidents were followed to their end: what is not resolved of them then never was.
    pub ends: Ends,
    /// How far an arrival may be off its due time.
    pub tolerance: Duration,
}

/// Expectations and what they are about.
#[derive(Debug, Clone)]
pub struct Expected {
    /// What is expected.
    pub expect: Expect,
    /// Where it stands, for people.
    pub origin: String,
    /// The id of the scenario that says so.
    pub scenario: String,
}

impl Expected {
    /// Whether they are about this incident: it says that it is another scenario's, or nothing. Whose start was
    /// not seen is anyone's.
    fn concerns(&self, events: &[(&Frame, &Message)]) -> bool {
        transcript::started(events)
            .is_some_and(|started| started.run.as_ref().is_none_or(|run| run.scenario == self.scenario))
    }
}

/// Which incidents have to be resolved when the transcript ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ends {
    /// Every one: all of the stream is there.
    All,
    /// The subject of the listening: it was triggered, or its end was waited for. Others may stay open.
    Subject(String),
    /// None: a clock ended the listening.
    Nobody,
}

impl Ends {
    fn requires(&self, incident: &str) -> bool {
        match self {
            Self::All => true,
            Self::Subject(subject) => subject == incident,
            Self::Nobody => false,
        }
    }
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds; a few words that say over what.
    Passed(String),
    /// It does not.
    Failed(Vec<Finding>),
    /// There was nothing to judge, and why.
    NotChecked(String),
}

/// One place where a rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub message: String,
    /// Line of the transcript, from 1.
    pub line: Option<usize>,
    /// Where in the stream, for people: position and second.
    pub place: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Finding {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), line: None, place: String::new(), hint: None }
    }

    fn at(mut self, frame: &Frame) -> Self {
        self.line = Some(frame.line);
        self.place = frame.place();
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Findings make a failure; none make a pass that says over what.
fn verdict(findings: Vec<Finding>, passed: impl FnOnce() -> String) -> Outcome {
    if findings.is_empty() { Outcome::Passed(passed()) } else { Outcome::Failed(findings) }
}

/// Judges a transcript by the rules that `wanted` picks by name.
pub fn check(
    transcript: &Transcript,
    context: &Context,
    wanted: impl Fn(&str) -> bool,
) -> Vec<(&'static Rule, Outcome)> {
    let picked = RULES.iter().filter(|rule| wanted(rule.name));
    picked.map(|rule| (rule, (rule.judge)(transcript, context))).collect()
}
