//! The expectations against which a stream is checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::limits::Limits;
use super::names::short;
use super::profile::Profile;
use crate::contract::IncidentStarted;
use crate::contract_file::Contract;
use crate::scenario::{Expect, VARIANT};

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

/// The `[expect]` of a scenario.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The expectations.
    pub expect: Expect,
    /// The place of the table, for messages: `FILE:LINE`.
    pub origin: String,
    /// The id of the scenario that they belong to.
    pub scenario: String,
    /// Whether they are about drills only, because one was triggered: the server may have real incidents, too.
    pub only_drills: bool,
    /// What is expected instead of an incident that was started in one of the scenario's variants, by its name.
    pub variants: BTreeMap<String, Expected>,
}

impl Expected {
    /// Whether they apply to an incident that starts like this: it names this scenario, or no scenario and may be a drill of it.
    pub(super) fn concerns(&self, started: &IncidentStarted) -> bool {
        match &started.run {
            Some(run) => run.scenario == self.scenario,
            None => started.synthetic || !self.only_drills,
        }
    }

    /// The name of the variant that an incident says it is started in, if the scenario has it.
    pub(super) fn variant_of(&self, started: &IncidentStarted) -> Option<String> {
        let variant = started.run.as_ref()?.settings.get(VARIANT)?;
        self.variants.contains_key(variant).then(|| variant.clone())
    }

    /// What is expected of an incident in this variant.
    pub(super) fn in_variant(&self, variant: Option<&str>) -> &Self {
        variant.and_then(|variant| self.variants.get(variant)).unwrap_or(self)
    }
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
