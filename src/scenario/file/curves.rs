//! What changes over incident time: metrics, impact and beliefs.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::scenario::keyframes::{Interpolate, Keyframes};

/// A curve over time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// `ratio` (0 to 1), `ms`, `1/s` …
    pub unit: String,
    /// Relative standard deviation of the seeded noise, 0 to 1.
    #[serde(default)]
    pub noise: f64,
    /// The values.
    pub keys: Keyframes,
    /// How the value moves between two keyframes.
    #[serde(default)]
    pub interpolate: Interpolate,
}

/// Users affected, and cost.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impact {
    /// Users affected over time.
    pub users: Option<Spanned<Keyframes>>,
    /// What the incident costs.
    pub cost: Option<CostFile>,
}

/// What the incident costs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostFile {
    /// ISO 4217 code.
    pub currency: Spanned<String>,
    /// Phase to cost per minute of incident time; a phase without an entry costs nothing.
    pub per_minute: BTreeMap<Spanned<String>, f64>,
}

/// A competing cause.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hypothesis {
    /// Unique.
    pub id: Spanned<String>,
    /// The claim, in one line.
    pub claim: String,
    /// Whether it is the true cause. At most one hypothesis is.
    #[serde(default)]
    pub truth: bool,
    /// How much it is believed, 0 to 1. It is 0 before the first keyframe.
    pub belief: Spanned<Keyframes>,
}
