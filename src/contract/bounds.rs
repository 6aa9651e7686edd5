//! What the schemas demand and reading into the Rust types does not: the bounds of numbers, and shapes. (serde reads an array as a
//! struct, and `{"completed":null}` as the variant `completed`.)

use serde_json::Value;

use super::agent_action::AgentAction;
use super::incident_resolved::IncidentResolved;
use super::message::Message;
use super::system_metrics::{Cost, SystemMetrics};

impl Message {
    /// Whether `data`, which was read into this message, is known to match the schema of its type. Other data may match it, too.
    pub fn proves(&self, data: &Value) -> bool {
        self.is_within_bounds() && has_its_shape(data)
    }

    fn is_within_bounds(&self) -> bool {
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

/// Whether each member that is a struct, an enum or a list of them is written as one.
fn has_its_shape(data: &Value) -> bool {
    let all =
        |value: &Value, is: fn(&Value) -> bool| value.as_array().is_some_and(|items| items.iter().all(is));
    data.as_object().is_some_and(|members| {
        members.iter().all(|(name, value)| match name.as_str() {
            "status" | "outcome" => value.is_string(),
            "marks" => all(value, Value::is_string),
            "hypotheses" | "evidence" => all(value, Value::is_object),
            "forecast" | "cost" | "origin" | "durations" | "actions" => value.is_object() || value.is_null(),
            _ => true,
        })
    })
}

fn is_cost(cost: &Cost) -> bool {
    let code = cost.currency.len() == 3 && cost.currency.bytes().all(|byte| byte.is_ascii_uppercase());
    code && cost.total >= 0.0 && cost.per_minute >= 0.0
}
