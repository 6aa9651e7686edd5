//! The bounds of numbers that the schemas have and the Rust types have not.

use super::agent_action::AgentAction;
use super::incident_resolved::IncidentResolved;
use super::message::Message;
use super::system_metrics::{Cost, SystemMetrics};

impl Message {
    /// Whether everything is known to be within the bounds that the schema has and the Rust types have not. A payload that was
    /// read into such a message matches its schema; others may match it.
    pub fn is_within_bounds(&self) -> bool {
        let positive = |value: Option<f64>| value.is_none_or(|value| value >= 0.0);
        positive(self.offset_s())
            && match self {
                // They have many more bounds, and are rare.
                Message::IncidentStarted(_) | Message::StreamOpened(_) => false,
                Message::AgentAction(AgentAction {
                    attempt,
                    confidence,
                    hypotheses,
                    caused_by,
                    late_s,
                    ..
                }) => {
                    let share = |value: f64| (0.0..=1.0).contains(&value);
                    attempt.is_none_or(|attempt| attempt >= 1)
                        && confidence.is_none_or(share)
                        && hypotheses.iter().all(|belief| share(belief.p))
                        && caused_by.is_none_or(|index| index >= 1)
                        && positive(*late_s)
                }
                Message::SystemMetrics(SystemMetrics { cost, .. }) => cost.as_ref().is_none_or(is_cost),
                Message::IncidentResolved(IncidentResolved { durations, cost, .. }) => {
                    positive(durations.detect_s)
                        && positive(durations.diagnose_s)
                        && positive(durations.mitigate_s)
                        && durations.resolve_s >= 0.0
                        && cost.as_ref().is_none_or(is_cost)
                }
                Message::Heartbeat(_) => true,
            }
    }
}

fn is_cost(cost: &Cost) -> bool {
    let code = cost.currency.len() == 3 && cost.currency.bytes().all(|byte| byte.is_ascii_uppercase());
    code && cost.total >= 0.0 && cost.per_minute >= 0.0
}
