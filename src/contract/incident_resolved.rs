//! The payload of `incident_resolved`. The docs of the fields become the descriptions in the JSON Schema.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agent_action::{Mark, Status};
use super::origin::Origin;
use super::system_metrics::Cost;
use super::{whole, wire_time};

/// An incident ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentResolved {
    /// Planned second of the incident; absent in incidents without a plan: real ones, and drills that are told by alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub offset_s: Option<f64>,
    /// `true` in every simulated event.
    pub synthetic: bool,
    /// How the incident ended.
    pub outcome: Outcome,
    /// One line for a person.
    pub summary: String,
    /// Id of the hypothesis that proved true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<String>,
    /// Time from the start to each milestone and to the end.
    pub durations: Durations,
    /// The total cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// The highest number of users affected at once.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole::optional")]
    #[schemars(range(max = whole::MAX))]
    pub users_peak: Option<u64>,
    /// How many actions finished and how many of them failed.
    pub actions: Actions,
    /// What remains to be done after the incident.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followups: Vec<String>,
    /// The publisher of the event and its name for it; absent if a scenario was played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// When the publisher observed what the event tells, by the publisher's clock; absent if a scenario was played.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wire_time::optional")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub observed_at: Option<Timestamp>,
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

/// Times from the incident's start to each milestone that was reached, in seconds of incident time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Durations {
    /// Until `detected`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub detect_s: Option<f64>,
    /// Until `diagnosed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub diagnose_s: Option<f64>,
    /// Until `mitigated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub mitigate_s: Option<f64>,
    /// Until the end.
    #[schemars(range(min = 0))]
    pub resolve_s: f64,
}

impl Durations {
    /// Records when a milestone was reached. Only the first time counts. A moment before second 0 counts as second 0,
    /// because a real incident may be detected before its impact begins.
    pub fn reach(&mut self, mark: Mark, offset_s: f64) {
        let slot = match mark {
            Mark::Detected => &mut self.detect_s,
            Mark::Diagnosed => &mut self.diagnose_s,
            Mark::Mitigated => &mut self.mitigate_s,
        };
        slot.get_or_insert(offset_s.max(0.0));
    }

    /// The last milestone that was reached before the end, and when; second 0 if none was.
    pub fn last_mark(&self) -> (&'static str, f64) {
        let marks =
            [("detect_s", self.detect_s), ("diagnose_s", self.diagnose_s), ("mitigate_s", self.mitigate_s)];
        let reached = marks.into_iter().filter_map(|(name, second)| Some((name, second?)));
        reached.fold(("start", 0.0), |last, mark| if mark.1 > last.1 { mark } else { last })
    }
}

/// Number of finished actions: those that completed or failed. Each attempt counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Actions {
    /// All finished actions.
    #[serde(deserialize_with = "whole::deserialize")]
    #[schemars(range(max = u32::MAX))]
    pub total: u32,
    /// The failed ones among them.
    #[serde(deserialize_with = "whole::deserialize")]
    #[schemars(range(max = u32::MAX))]
    pub failed: u32,
}

impl Actions {
    /// Counts an action if its status says that it has finished.
    pub fn count(&mut self, status: Status) {
        self.total += u32::from(status != Status::InProgress);
        self.failed += u32::from(status == Status::Failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_milestone_before_second_0_counts_as_second_0() {
        let mut durations = Durations::default();
        durations.reach(Mark::Detected, -12.5);
        durations.reach(Mark::Detected, 3.0);
        assert_eq!(
            durations.detect_s,
            Some(0.0),
            "the first time counts, and the schema allows no negative one"
        );
    }
}
