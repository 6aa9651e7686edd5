//! Records of invented incidents.

use std::collections::BTreeMap;

use incident::contract::{
    Actions, AgentAction, AgentInfo, Durations, Envelope, IncidentResolved, IncidentStarted, Message,
    Outcome, Phase, Severity, Status, SystemMetrics,
};
use incident::journal::Record;
use jiff::Timestamp;

/// An incident of `length` events: a start, metrics, the end.
pub fn story(subject: &str, length: u64) -> Vec<Record> {
    let middle = (2..length).map(|index| metrics(subject, index));
    [started(subject)].into_iter().chain(middle).chain([resolved(subject, length)]).collect()
}

pub fn started(subject: &str) -> Record {
    record(
        subject,
        1,
        Message::IncidentStarted(IncidentStarted {
            origin: None,
            observed_at: None,
            offset_s: Some(0.0),
            synthetic: true,
            title: format!("{subject} is down"),
            severity: Severity::Sev2,
            services: vec!["checkout".to_owned()],
            phases: vec![Phase {
                name: "detect".to_owned(),
                start_s: 0.0,
                end_s: Some(60.0),
                play_s: Some(60.0),
            }],
            agents: vec![AgentInfo { id: "detection".to_owned(), role: "Looks".to_owned() }],
            metrics: Vec::new(),
            target_s: Some(60.0),
            impact_started_at: Timestamp::UNIX_EPOCH,
            speed: Some(1.0),
            run: None,
        }),
    )
}

/// A sample of a usual size.
pub fn metrics(subject: &str, index: u64) -> Record {
    let values = [("error_rate", 0.31), ("latency_p99", 4200.0), ("traffic", index as f64)];
    record(
        subject,
        index,
        Message::SystemMetrics(SystemMetrics {
            origin: None,
            observed_at: None,
            offset_s: Some(index as f64 / 1000.0),
            synthetic: true,
            phase: Some("detect".to_owned()),
            metrics: values
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
            users_affected: Some(48_000),
            cost: None,
        }),
    )
}

/// An action with a summary of any size.
pub fn action(subject: &str, index: u64, summary: &str) -> Record {
    record(
        subject,
        index,
        Message::AgentAction(AgentAction {
            origin: None,
            observed_at: None,
            offset_s: Some(index as f64 / 1000.0),
            synthetic: true,
            phase: Some("detect".to_owned()),
            agent: "detection".to_owned(),
            action: "looked".to_owned(),
            status: Status::Completed,
            summary: summary.to_owned(),
            step: None,
            attempt: None,
            confidence: None,
            hypotheses: Vec::new(),
            forecast: None,
            evidence: Vec::new(),
            caused_by: None,
            marks: Vec::new(),
            late_s: None,
        }),
    )
}

pub fn resolved(subject: &str, index: u64) -> Record {
    record(
        subject,
        index,
        Message::IncidentResolved(IncidentResolved {
            origin: None,
            observed_at: None,
            offset_s: Some(index as f64 / 1000.0),
            synthetic: true,
            outcome: Outcome::Resolved,
            summary: "Over".to_owned(),
            root_cause: None,
            durations: Durations { resolve_s: index as f64 / 1000.0, ..Durations::default() },
            cost: None,
            users_peak: None,
            actions: Actions::default(),
            followups: Vec::new(),
        }),
    )
}

/// A frame as a client reads it.
pub fn envelope(frame: &str) -> Envelope {
    serde_json::from_str(frame).unwrap_or_else(|error| panic!("{error}: {frame}"))
}

#[expect(clippy::needless_pass_by_value, reason = "the messages are made for this")]
fn record(subject: &str, index: u64, message: Message) -> Record {
    Record::at(subject, index, &message)
}
