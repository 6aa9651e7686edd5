//! The expectations against which a stream is checked.

use std::time::Duration;

use super::incident::{SeenEvent, started};
use crate::scenario::Expect;

/// The expectations against which a stream is checked.
#[derive(Debug, Clone)]
pub struct Context {
    /// The scenario's `[expect]`, if there is one.
    pub expect: Option<Expected>,
    /// Whether arrival times are meaningful: whether the stream was played in real time or comes from another server.
    pub arrivals: bool,
    /// Which incidents must be resolved within the transcript, because they were followed to their end.
    pub must_resolve: MustResolve,
    /// How late an event may arrive.
    pub tolerance: Duration,
}

/// The `[expect]` of a scenario.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The expectations.
    pub expect: Expect,
    /// The name of the file that has them, for messages.
    pub origin: String,
    /// The id of the scenario that they belong to.
    pub scenario: String,
}

impl Expected {
    /// Whether they apply to this incident: its start was received and names this scenario or no scenario.
    pub(super) fn concerns(&self, events: &[SeenEvent<'_>]) -> bool {
        started(events)
            .is_some_and(|started| started.run.as_ref().is_none_or(|run| run.scenario == self.scenario))
    }
}

/// Which incidents must be resolved before the transcript ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MustResolve {
    /// Every incident: the transcript has the whole stream.
    All,
    /// Only the incident with this id, which was triggered or followed to its end. Others may stay open.
    Only(String),
    /// No incident: the time to listen ran out.
    None,
}

impl MustResolve {
    pub(super) fn requires(&self, incident: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(id) => id == incident,
            Self::None => false,
        }
    }
}
