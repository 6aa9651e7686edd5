//! The file as a whole: identity, agents and phases.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use super::alert::AlertFile;
use super::curves::{self, Hypothesis, Impact, Metric};
use super::one_of::one_of;
use super::ordered::Ordered;
use super::resolution::Resolution;
use super::settings::{ParameterFile, VariantFile};
use super::step::Step;
use super::world::{ChangeFile, LogFile};
use crate::contract::{Position, Severity};
use crate::scenario::duration::Micros;
use crate::scenario::expect::Expect;

/// A whole scenario file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Scenario")]
pub struct ScenarioFile {
    /// Its name in `incident trigger NAME`: lower-case letters, digits and dashes.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// One line that names the incident.
    pub title: String,
    /// How bad it is.
    #[serde(deserialize_with = "one_of")]
    pub severity: Severity,
    /// The services that are affected.
    #[schemars(with = "Vec<String>")]
    pub services: Vec<Spanned<String>>,
    /// The time in which the incident should be resolved, incident time: the countdown starts here.
    #[schemars(with = "Micros")]
    pub target: Spanned<Micros>,
    /// Decides noise, jitter and failures if the trigger gives no other seed. Below 2^53.
    #[serde(default, deserialize_with = "seed")]
    pub seed: u64,
    /// Screen time between two samples of the metrics.
    #[serde(default = "two_seconds")]
    #[schemars(with = "Micros")]
    pub metrics_every: Spanned<Micros>,
    /// How far a step may be shifted, earlier or later; incident time.
    #[serde(default)]
    pub jitter: Micros,
    /// Where the facts of a real incident come from.
    pub provenance: Option<Provenance>,
    /// Agents: name to role.
    #[serde(deserialize_with = "agents")]
    pub agents: Ordered<String>,
    /// The phases, in order, without gaps between them.
    #[serde(deserialize_with = "phases")]
    pub phases: Vec<PhaseFile>,
    /// Metrics: name to curve.
    #[serde(default, deserialize_with = "curves::metrics")]
    #[schemars(with = "Ordered<curves::MetricTable>")]
    pub metrics: Ordered<Metric>,
    /// Users affected, and cost.
    pub impact: Option<Impact>,
    /// What monitoring says during the incident.
    #[serde(default)]
    pub alerts: Vec<AlertFile>,
    /// What the services log.
    #[serde(default)]
    pub logs: Vec<LogFile>,
    /// What was changed, before the incident or during it.
    #[serde(default)]
    pub changes: Vec<ChangeFile>,
    /// Which services each service calls.
    #[serde(default)]
    #[schemars(with = "Ordered<Vec<String>>")]
    pub topology: Ordered<Vec<Spanned<String>>>,
    /// How long the metrics were healthy before second 0, in what is exported: they have the value of second 0, with noise.
    #[serde(default)]
    #[schemars(with = "Option<Micros>")]
    pub baseline: Option<Spanned<Micros>>,
    /// Causes that compete.
    #[serde(default)]
    pub hypotheses: Vec<Hypothesis>,
    /// What the agents do.
    #[serde(deserialize_with = "steps")]
    pub steps: Vec<Step>,
    /// How it ends.
    #[schemars(with = "Resolution")]
    pub resolution: Spanned<Resolution>,
    /// What `incident validate` asserts.
    #[schemars(with = "Option<Expect>")]
    pub expect: Option<Spanned<Expect>>,
    /// What a caller may choose: `"{NAME}"` in a text of the file stands for the value.
    #[serde(default)]
    pub parameters: Ordered<ParameterFile>,
    /// Other courses of the incident that a caller may choose, by name.
    #[serde(default)]
    pub variant: Ordered<VariantFile>,
}

/// What a seed is: below 2^53, so that every reader of JSON reads it as it is.
const SEED: &str = "a whole number from 0 to 9007199254740991";

fn two_seconds() -> Spanned<Micros> {
    Spanned::new(0..0, Micros(2_000_000))
}

// These are checked while the file is read, because the place of an empty list is only known then.

fn seed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Seed;
    impl de::Visitor<'_> for Seed {
        type Value = u64;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(SEED)
        }
        fn visit_i64<E: de::Error>(self, seed: i64) -> Result<u64, E> {
            self.visit_i128(seed.into())
        }
        fn visit_u64<E: de::Error>(self, seed: u64) -> Result<u64, E> {
            self.visit_i128(seed.into())
        }
        fn visit_i128<E: de::Error>(self, seed: i128) -> Result<u64, E> {
            let seed = u64::try_from(seed).ok().filter(|seed| *seed < Position::LIMIT);
            seed.ok_or_else(|| E::custom(format!("the seed is {SEED}")))
        }
        fn visit_u128<E: de::Error>(self, _: u128) -> Result<u64, E> {
            self.visit_i128(i128::MAX)
        }
    }
    deserializer.deserialize_any(Seed)
}

fn agents<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ordered<String>, D::Error> {
    let agents = Ordered::deserialize(deserializer)?;
    if agents.0.is_empty() {
        return Err(de::Error::custom("no agents: at least one is needed"));
    }
    Ok(agents)
}

fn phases<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PhaseFile>, D::Error> {
    let phases = Vec::deserialize(deserializer)?;
    if phases.is_empty() {
        return Err(de::Error::custom("no phases: at least one is needed"));
    }
    Ok(phases)
}

fn steps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Step>, D::Error> {
    let steps = Vec::deserialize(deserializer)?;
    if steps.is_empty() {
        return Err(de::Error::custom("no steps: at least one is needed"));
    }
    Ok(steps)
}

/// Where the facts of a real incident come from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The operator's own report.
    pub url: String,
    /// The time of second 0, with its zone.
    #[schemars(with = "String")]
    pub t0: Spanned<toml::value::Datetime>,
    /// What the author added to the report, as paths into this file.
    #[serde(default)]
    pub inferred: Vec<String>,
}

/// One phase. It ends where the next begins; the last ends with the resolution.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Phase")]
pub struct PhaseFile {
    /// Unique.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// When it begins, in incident time.
    #[schemars(with = "Micros")]
    pub at: Spanned<Micros>,
    /// How long it plays on screen; its length in incident time by default.
    #[schemars(with = "Option<Micros>")]
    pub play: Option<Spanned<Micros>>,
}
