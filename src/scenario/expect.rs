//! `[expect]`: what `incident validate` asserts of a playback, ours or a third party's.

use serde::Deserialize;

use super::Micros;

/// The expectations of a scenario. All are optional; an empty table asserts nothing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// From the start to the first `detected`, or to the first action where nothing is so marked.
    pub detect: Option<Bounds>,
    /// From the start to the first `diagnosed`.
    pub diagnose: Option<Bounds>,
    /// From the start to the first `mitigated`.
    pub mitigate: Option<Bounds>,
    /// From the start to the resolution.
    pub resolve: Option<Bounds>,
    /// The phases that events fall into, in order.
    pub phases: Option<Vec<String>>,
    /// Finished attempts.
    pub actions: Option<Counts>,
    /// Finished attempts that failed.
    pub failed: Option<Counts>,
    /// Steps that complete, in this order.
    pub order: Option<Vec<String>>,
    /// The longest screen time without any message of the incident.
    pub max_silence: Option<Micros>,
    /// The hypothesis that the resolution names.
    pub root_cause: Option<String>,
}

/// Bounds of a duration, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// At least.
    pub min: Option<Micros>,
    /// At most.
    pub max: Option<Micros>,
}

/// Bounds of a number, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// At least.
    pub min: Option<u32>,
    /// At most.
    pub max: Option<u32>,
}
