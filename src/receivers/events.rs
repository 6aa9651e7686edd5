//! The events that receivers write, and what is read back from them.

use jiff::Timestamp;

use super::alert::{Alert, SOURCE};
use super::described::Receiver;
use super::text::line;
use crate::contract::{
    AgentAction, AgentInfo, Evidence, IncidentStarted, Mark, Message, Origin, Severity, Status, parse_time,
};

/// The most characters of a summary.
const SUMMARY_CHARS: usize = 400;

/// The most characters of an alert's labels.
const LABEL_CHARS: usize = 1_000;

/// The most links of an alert.
const LINKS: usize = 8;

/// The kind of the evidence that names one firing of an alert: `FINGERPRINT@SINCE`.
const INSTANCE: &str = "alert_instance";

/// The kinds of actions that change the state of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Firing,
    Resolved,
    Partial,
    Whole,
    Silent,
    Back,
    Worse,
}

impl Action {
    const ALL: [Self; 7] =
        [Self::Firing, Self::Resolved, Self::Partial, Self::Whole, Self::Silent, Self::Back, Self::Worse];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "alert_firing",
            Self::Resolved => "alert_resolved",
            Self::Partial => "alerts_left_out",
            Self::Whole => "alerts_complete",
            Self::Silent => "receiver_silent",
            Self::Back => "receiver_back",
            Self::Worse => "severity_raised",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

/// The kind of the evidence that names a severity.
const SEVERITY: &str = "severity";

/// An event that is to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The incident's id.
    pub subject: String,
    /// The receiver's name for the event: the same event has the same, whenever and wherever it is made.
    pub id: String,
    /// The event.
    pub message: Message,
}

impl Draft {
    /// An event of a receiver. It says where it comes from, by which the fold knows it again, and whether it is of a drill.
    pub(super) fn new(
        receiver: &Receiver,
        subject: &str,
        id: String,
        mut message: Message,
        is_drill: bool,
        now: Timestamp,
    ) -> Self {
        let origin = Some(Origin { source: receiver.source(), id: id.clone() });
        let (origin_of, observed_at, synthetic) = match &mut message {
            Message::IncidentStarted(data) => (&mut data.origin, &mut data.observed_at, &mut data.synthetic),
            Message::AgentAction(data) => (&mut data.origin, &mut data.observed_at, &mut data.synthetic),
            Message::SystemMetrics(data) => (&mut data.origin, &mut data.observed_at, &mut data.synthetic),
            Message::IncidentResolved(data) => (&mut data.origin, &mut data.observed_at, &mut data.synthetic),
            Message::StreamOpened(_) | Message::Heartbeat(_) => {
                return Self { subject: subject.to_owned(), id, message };
            }
        };
        *origin_of = origin;
        *synthetic = is_drill;
        *observed_at = Some(now);
        Self { subject: subject.to_owned(), id, message }
    }
}

/// The receiver that wrote an event, by its origin.
pub(super) fn writer_of(message: &Message) -> Option<&str> {
    message.origin()?.source.strip_prefix(SOURCE)
}

/// The role of the agent that stands for a receiver.
fn role_of(receiver: &Receiver) -> String {
    format!("{} receiver", receiver.kind.as_str())
}

/// The fingerprint of an action's alert, and since when it fires.
pub(super) fn instance_of(action: &AgentAction) -> Option<(&str, Timestamp)> {
    let found = action.evidence.iter().find(|evidence| evidence.kind == INSTANCE)?;
    let (fingerprint, since) = found.reference.rsplit_once('@')?;
    Some((fingerprint, parse_time(since)?))
}

/// The name of an action's alert.
pub(super) fn alert_of(action: &AgentAction) -> &str {
    let found = action.evidence.iter().find(|evidence| evidence.kind == "alert");
    found.map_or("alert", |evidence| evidence.reference.as_str())
}

/// The action that says that an incident is more severe than it was, because of an alert that fires.
pub(super) fn worse(receiver: &Receiver, alert: &Alert, before: Severity, now: Severity) -> AgentAction {
    let service = receiver.service_of(alert).map(|service| format!(" on {service}")).unwrap_or_default();
    let (before, name) = (before.as_str(), alert.name());
    let summary = format!("The incident is {} now, it was {before}: {name} fires{service}", now.as_str());
    let evidence = vec![piece(SEVERITY, now.as_str()), piece("alert", &line(name, 200))];
    action(&receiver.name, Action::Worse.as_str(), &summary, evidence)
}

/// The severity that an action says the incident has.
pub(super) fn severity_in(action: &AgentAction) -> Option<Severity> {
    let found = action.evidence.iter().find(|evidence| evidence.kind == SEVERITY)?;
    Severity::ALL.into_iter().find(|severity| severity.as_str() == found.reference)
}

/// The beginning of an incident with these alerts.
pub(super) fn started(receiver: &Receiver, alerts: &[&Alert], impact: Timestamp) -> Message {
    let severities = alerts.iter().map(|alert| receiver.severity_of(alert));
    let severity = severities.min_by_key(|severity| *severity as u8).unwrap_or(Severity::Sev3);
    let mut services: Vec<String> = alerts
        .iter()
        .filter_map(|alert| receiver.service_of(alert))
        .map(|service| line(service, 100))
        .filter(|service| !service.is_empty())
        .collect();
    services.sort();
    services.dedup();
    services.truncate(50);
    let title = alerts.first().map(|alert| receiver.title_of(alert)).unwrap_or_default();
    Message::IncidentStarted(IncidentStarted {
        offset_s: None,
        synthetic: false,
        title: if title.is_empty() { receiver.name.clone() } else { title },
        severity,
        services,
        phases: Vec::new(),
        agents: vec![AgentInfo { id: receiver.name.clone(), role: role_of(receiver) }],
        metrics: Vec::new(),
        target_s: None,
        impact_started_at: impact,
        speed: None,
        run: None,
        origin: None,
        observed_at: None,
    })
}

/// An action of the receiver.
pub(super) fn action(receiver: &str, kind: &str, summary: &str, evidence: Vec<Evidence>) -> AgentAction {
    AgentAction {
        offset_s: None,
        synthetic: false,
        phase: None,
        agent: receiver.to_owned(),
        action: kind.to_owned(),
        status: Status::Completed,
        summary: line(summary, SUMMARY_CHARS),
        step: None,
        attempt: None,
        confidence: None,
        hypotheses: Vec::new(),
        forecast: None,
        evidence,
        caused_by: None,
        marks: Vec::new(),
        late_s: None,
        origin: None,
        observed_at: None,
    }
}

/// The action about an alert that fires or is resolved. `name` is that by which the journal knows it.
pub(super) fn about(
    receiver: &Receiver,
    alert: &Alert,
    name: &str,
    starts_at: Timestamp,
    is_first: bool,
) -> AgentAction {
    let labels: Vec<String> = alert.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let labels = line(&labels.join(", "), LABEL_CHARS);
    let name = line(name, 200);
    let mut evidence = vec![
        Evidence {
            kind: "alert".to_owned(),
            reference: name.clone(),
            text: (!labels.is_empty()).then_some(labels),
            value: None,
        },
        piece(INSTANCE, &format!("{}@{starts_at}", alert.fingerprint)),
    ];
    evidence.extend(links(&alert.links));
    let said = ["summary", "description", "message"].iter().find_map(|name| alert.annotations.get(*name));
    let said = said.filter(|said| **said != name).map(|said| format!(": {said}")).unwrap_or_default();
    let (kind, summary) = if alert.firing {
        let service = receiver.service_of(alert).map(|service| format!(" on {service}")).unwrap_or_default();
        let severity = receiver.severity_of(alert).as_str();
        (Action::Firing, format!("{name} fires{service} ({severity}){said}"))
    } else {
        (Action::Resolved, format!("{name} is resolved"))
    };
    let mut action = action(&receiver.name, kind.as_str(), &summary, evidence);
    if is_first {
        action.marks = vec![Mark::Detected];
    }
    action
}

/// Links as evidence.
pub(super) fn links(links: &[(&'static str, String)]) -> Vec<Evidence> {
    links.iter().take(LINKS).map(|(kind, url)| piece(kind, url)).collect()
}

/// A piece of evidence without a text.
pub(super) fn piece(kind: &str, reference: &str) -> Evidence {
    Evidence { kind: kind.to_owned(), reference: reference.to_owned(), text: None, value: None }
}
