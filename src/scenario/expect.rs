//! `[expect]`: what `incident validate` asserts of a stream that plays the scenario.

use std::fmt::Display;

use schemars::JsonSchema;
use serde::Deserialize;

use super::duration::Micros;

/// The expectations of a scenario. All are optional; an empty table asserts nothing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// From the start to the first `detected` mark, or to the first action if no action has that mark.
    pub detect: Option<Bounds>,
    /// From the start to the first `diagnosed` mark.
    pub diagnose: Option<Bounds>,
    /// From the start to the first `mitigated` mark.
    pub mitigate: Option<Bounds>,
    /// From the start to the resolution.
    pub resolve: Option<Bounds>,
    /// The phases of the events, in order.
    pub phases: Option<Vec<String>>,
    /// How many attempts finish.
    pub actions: Option<Counts>,
    /// How many attempts fail.
    pub failed: Option<Counts>,
    /// Steps that must complete, in this order.
    pub order: Option<Vec<String>>,
    /// The longest time on screen without an event of the incident.
    pub max_silence: Option<Micros>,
    /// The hypothesis that the resolution names as the root cause.
    pub root_cause: Option<String>,
}

/// Bounds of a duration, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Range<Micros>")]
#[schemars(rename = "Bounds")]
pub struct Bounds {
    /// At least.
    pub min: Option<Micros>,
    /// At most.
    pub max: Option<Micros>,
}

/// Bounds of a number, both included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Range<u32>")]
pub struct Counts {
    /// At least.
    pub min: Option<u32>,
    /// At most.
    pub max: Option<u32>,
}

/// Both bounds as they are read. They are checked here, where an error still has a place in the file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Range<T> {
    min: Option<T>,
    max: Option<T>,
}

impl<T: PartialOrd + Display> Range<T> {
    fn checked(self) -> Result<Self, String> {
        match (&self.min, &self.max) {
            (Some(min), Some(max)) if min > max => Err(format!("min ({min}) is above max ({max})")),
            _ => Ok(self),
        }
    }
}

impl TryFrom<Range<Micros>> for Bounds {
    type Error = String;

    fn try_from(range: Range<Micros>) -> Result<Self, String> {
        range.checked().map(|Range { min, max }| Self { min, max })
    }
}

impl TryFrom<Range<u32>> for Counts {
    type Error = String;

    fn try_from(range: Range<u32>) -> Result<Self, String> {
        range.checked().map(|Range { min, max }| Self { min, max })
    }
}
