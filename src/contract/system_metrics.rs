//! The payload of `system_metrics`. The docs of the fields become the descriptions in the JSON Schema.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::origin::Origin;
use super::{whole, wire_time};

/// One sample of the systems' state: metrics, affected users and cost at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SystemMetrics {
    /// Planned second of the incident; absent in incidents without a plan: real ones, and drills that are told by alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub offset_s: Option<f64>,
    /// `true` in every simulated event.
    pub synthetic: bool,
    /// The phase in which the sample was taken; absent if the incident has no phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The value of each metric, by its name.
    pub metrics: BTreeMap<String, f64>,
    /// Users affected now.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole::optional")]
    #[schemars(range(max = whole::MAX))]
    pub users_affected: Option<u64>,
    /// The cost of the incident so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// The publisher of the event and its name for it; absent if a scenario was played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// When the publisher observed what the event tells, by the publisher's clock; absent if a scenario was played.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wire_time::optional")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub observed_at: Option<Timestamp>,
}

/// The cost of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// The currency's ISO 4217 code.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
    /// The cost since the start, rounded to cents; it never falls.
    #[schemars(range(min = 0))]
    pub total: f64,
    /// The cost per minute of incident time, at this moment.
    #[schemars(range(min = 0))]
    pub per_minute: f64,
}
