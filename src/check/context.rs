//! What a stream is judged against.

use std::time::Duration;

use super::incident::{Event, started};
use crate::scenario::Expect;

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

/// Expectations and the scenario they belong to.
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
    /// Whether they apply to this incident: its start was seen, and it names this scenario or none.
    pub(super) fn concerns(&self, events: &[Event<'_>]) -> bool {
        started(events)
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
    pub(super) fn requires(&self, incident: &str) -> bool {
        match self {
            Self::All => true,
            Self::Subject(subject) => subject == incident,
            Self::Nobody => false,
        }
    }
}
