//! `incident_resolved`. Field comments are the schema's descriptions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cost, Mark, Status};

/// An incident ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentResolved {
    /// Planned second of the incident; absent in real incidents, which have no plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub offset_s: Option<f64>,
    /// `true` in every simulated event.
    pub synthetic: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// One line for a person.
    pub summary: String,
    /// The id of the hypothesis that proved true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<String>,
    /// How long it took.
    pub durations: Durations,
    /// What it cost in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// The most users affected at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_peak: Option<u64>,
    /// Finished attempts.
    pub actions: Actions,
    /// What is left to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followups: Vec<String>,
}

/// How an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "plain words")]
pub enum Outcome {
    Resolved,
    Cancelled,
}

impl Outcome {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Cancelled => "cancelled",
        }
    }
}

/// From the incident's start to each milestone that was reached, in seconds of incident time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Durations {
    /// To `detected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub detect_s: Option<f64>,
    /// To `diagnosed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub diagnose_s: Option<f64>,
    /// To `mitigated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub mitigate_s: Option<f64>,
    /// To the end.
    #[schemars(range(min = 0))]
    pub resolve_s: f64,
}

impl Durations {
    /// Notes a milestone. It is reached once: what repeats it later does not move it.
    pub fn reach(&mut self, mark: Mark, offset_s: f64) {
        let slot = match mark {
            Mark::Detected => &mut self.detect_s,
            Mark::Diagnosed => &mut self.diagnose_s,
            Mark::Mitigated => &mut self.mitigate_s,
        };
        slot.get_or_insert(offset_s);
    }
}

/// Finished attempts: actions that completed or failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actions {
    /// All of them.
    pub total: u32,
    /// Those that failed.
    pub failed: u32,
}

impl Actions {
    /// Counts an action, if it is a finished attempt.
    pub fn count(&mut self, status: Status) {
        self.total += u32::from(status != Status::InProgress);
        self.failed += u32::from(status == Status::Failed);
    }
}
