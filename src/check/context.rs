//! The expectations against which a stream is checked.

use std::sync::Arc;

use jiff::Timestamp;

use super::expected::Expected;
use super::limits::Limits;
use super::names::short;
use super::profile::Profile;
use crate::contract_file::Contract;

/// The expectations against which a stream is checked.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The scenario's `[expect]`, if there is one.
    pub expect: Option<Expected>,
    /// Whether arrival times are meaningful: whether the stream was played in real time or comes from another server.
    pub arrivals: bool,
    /// Which incidents must be resolved, because they were followed to their end.
    pub must_resolve: MustResolve,
    /// The wall clock when the first connection was opened; `None` in a recording.
    pub began: Option<Timestamp>,
    /// How late, how silent and how far off a stream may be.
    pub limits: Limits,
    /// How the stream of another program is read; `None` for our own.
    pub profile: Option<Arc<Profile>>,
    /// The user's contract, which every message must match too.
    pub contract: Option<Arc<Contract>>,
}

/// Which incidents must be resolved before the stream ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum MustResolve {
    /// Every incident: the whole stream is there.
    All,
    /// Only the incident with this id, which was triggered or followed to its end. Others may stay open.
    Only(String),
    /// No incident: the time to listen ran out.
    #[default]
    None,
}

impl MustResolve {
    /// Whether it requires the incident whose id is remembered as this.
    pub(super) fn requires(&self, incident: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(id) => short(id) == incident,
            Self::None => false,
        }
    }
}
