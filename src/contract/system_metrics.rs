//! `system_metrics`. Field comments are the schema's descriptions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the systems show: metrics, users affected and cost at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SystemMetrics {
    /// Planned second of the incident; absent in real incidents, which have no plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub offset_s: Option<f64>,
    /// `true` in every simulated event.
    pub synthetic: bool,
    /// The phase it falls into, where the incident has phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Name to value.
    pub metrics: BTreeMap<String, f64>,
    /// Users affected now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_affected: Option<u64>,
    /// What the incident has cost so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// Money lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// ISO 4217 code.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
    /// Since the start, rounded to cents; never falls.
    #[schemars(range(min = 0))]
    pub total: f64,
    /// The rate now, a minute of incident time.
    #[schemars(range(min = 0))]
    pub per_minute: f64,
}
