//! Incidents that do not do what the scenario expects: each key of `[expect]`.

use incident::contract::MessageType;
use serde_json::json;

use super::{Fault, caught, fault};
use crate::validate::sound::Stream;

impl Stream {
    /// Of `database-outage`.
    fn expects(&mut self, toml: &str) -> Option<()> {
        self.subject().starts_with("database-outage").then_some(())?;
        self.expect(toml);
        // What is silent by plan is silent when it arrives.
        self.arrivals = false;
        Some(())
    }
}

pub const FAULTS: &[Fault] = &[
    fault("detected late", "expect", "the incident was detected after", "", |s| {
        s.expects(r#"detect = { max = "5s" }"#)
    })
    .later(),
    fault("detected early", "expect", "allowed is at least 1m", "", |s| {
        s.expects(r#"detect = { min = "60s" }"#)
    })
    .later(),
    fault("diagnosed early", "expect", "the incident was diagnosed after", "", |s| {
        s.expects(r#"diagnose = { min = "2m" }"#)
    })
    .later(),
    fault("mitigated late", "expect", "the incident was mitigated after", "", |s| {
        s.expects(r#"mitigate = { max = "60s" }"#)
    })
    .later(),
    fault("resolved late", "expect", "the incident was resolved after", "", |s| {
        s.expects(r#"resolve = { max = "179s" }"#)
    })
    .later(),
    fault("resolved early", "expect", "allowed is 4m to 5m", "", |s| {
        s.expects(r#"resolve = { min = "4m", max = "5m" }"#)
    })
    .later(),
    fault("too few actions", "expect", "expected at least 50", "", |s| s.expects("actions = { min = 50 }"))
        .later(),
    fault("too many actions", "expect", "expected at most 2", "", |s| s.expects("actions = { max = 2 }"))
        .later(),
    fault("too many failures", "expect", "failed actions, expected at most 1", "", |s| {
        s.expects("failed = { max = 1 }")
    })
    .later(),
    fault("other phases", "expect", "the phases were", "", |s| {
        s.expects(r#"phases = ["detect", "resolve"]"#)
    })
    .later(),
    fault("another order", "expect", "completed before", "", |s| s.expects(r#"order = ["cause", "alert"]"#))
        .later(),
    fault("a step that never completes", "expect", "never completed", "", |s| {
        s.expects(r#"order = ["alert", "page"]"#)
    })
    .later(),
    fault("another cause", "expect", "the root cause is", "", |s| s.expects(r#"root_cause = "traffic""#))
        .later(),
    fault("too long a silence by plan", "expect", "1s900ms is allowed", "", |s| {
        s.expects(r#"max_silence = "1900ms""#)
    })
    .later()
    .many(),
    fault("never diagnosed", "expect", "the incident was never diagnosed", "", |s| {
        s.expects(r#"diagnose = { max = "10m" }"#)?;
        let place = s
            .all(MessageType::AgentAction)
            .into_iter()
            .find(|place| s.frames[*place].0["data"]["marks"] == json!(["diagnosed"]))?;
        s.data(place).as_object_mut()?.remove("marks");
        s.end()?["durations"].as_object_mut()?.remove("diagnose_s");
        Some(())
    })
    .later(),
    fault("no cause is named", "expect", "the root cause is not named", "", |s| {
        s.expects(r#"root_cause = "leak""#)?;
        s.end()?.remove("root_cause").map(drop)
    })
    .later(),
];

#[test]
fn expected() {
    caught(FAULTS);
}
